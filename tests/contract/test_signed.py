"""What `pipeline.sign` and the standard's own program sign, the service verifies; it uses no other model file."""

import asyncio
import hashlib
import re
import shutil
import signal

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from serving.errors import ModelError, StartError
from serving.metrics import Metrics
from serving.queue.engine import Engine
from serving.reload.lifecycle import Lifecycle
from serving.signature import load_key, signature_of
from tests.contract.clone import OFFLINE, clone_into
from tests.keys import change_statement, sign, statement_of, write_keys
from tests.needs import missing
from tests.project import ROOT, run, started, wait_until
from tests.serving.conftest import MODEL
from tests.serving.models import put, with_metadata
from tests.serving.test_main import check_failure
from tests.serving.under_load.client import LOAD, METADATA, ask
from tests.serving.under_load.process import ANNOUNCEMENT, running

GOOD = MODEL.read_bytes()
OTHER = with_metadata(note="another version of the same model")
DIGESTS = [hashlib.sha256(content).hexdigest() for content in (GOOD, OTHER)]


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    directory = tmp_path_factory.mktemp("keys")
    return [write_keys(directory, name) for name in ("own", "other")]


@pytest.fixture
def model(tmp_path, keys):
    """A signed copy of the committed model."""
    path = tmp_path / "digits.onnx"
    path.write_bytes(GOOD)
    sign(path, keys[0][0])
    return path


def lifecycle_of(model, keys):
    return Lifecycle(model, Engine(), Metrics(), key=load_key(keys[0][1]))


def forge(model, keys):
    model.write_bytes(OTHER)
    change_statement(signature_of(model), *DIGESTS)


def change_bundle(old, new):
    return lambda model, keys: signature_of(model).write_text(signature_of(model).read_text().replace(old, new))


BAD = {
    "unsigned": (lambda model, keys: signature_of(model).unlink(), "sig cannot be read: No such file"),
    "changed model": (lambda model, keys: model.write_bytes(OTHER), "the file was changed"),
    "changed model and statement": (forge, "it was changed, or made with another key"),
    "other key": (lambda model, keys: sign(model, keys[1][0]), "made with another key"),
    "truncated": (
        lambda model, keys: signature_of(model).write_bytes(signature_of(model).read_bytes()[:-9]),
        "damaged",
    ),
    "empty": (lambda model, keys: signature_of(model).write_bytes(b""), "damaged"),
    "deep": (lambda model, keys: signature_of(model).write_text("[" * 200_000), "damaged"),
    "another kind": (change_bundle("in-toto", "a-toto"), "of another kind"),
    "no signature": (change_bundle('"signatures":[{', '"signatures":[],"was":[{'), "of another kind"),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_file_without_a_valid_signature_is_refused_at_start_and_at_a_swap(model, keys, caplog, fault):
    lifecycle = lifecycle_of(model, keys)
    lifecycle.start()
    before = lifecycle.engine.predictor
    assert before.card.sha256 == DIGESTS[0]
    spoil, reason = BAD[fault]
    spoil(model, keys)
    with pytest.raises(ModelError, match=reason):
        asyncio.run(lifecycle.load())
    assert lifecycle.engine.predictor is before
    assert re.search(f"refused, and the model in use stays.*{reason}", caplog.text)
    with pytest.raises(ModelError, match=reason):
        lifecycle_of(model, keys).start()


def test_a_signed_file_is_swapped_and_needs_no_key_of_a_service_without_one(model, keys):
    lifecycle = lifecycle_of(model, keys)
    lifecycle.start()
    model.write_bytes(OTHER)
    sign(model, keys[0][0])
    asyncio.run(lifecycle.load())
    assert lifecycle.engine.predictor.card.sha256 == DIGESTS[1]
    signature_of(model).unlink()
    Lifecycle(model, Engine(), Metrics()).start()


def test_another_key_than_a_public_one_of_p_256_is_refused(tmp_path, keys):
    for name, key in (
        ("rsa", rsa.generate_private_key(65537, 2048)),
        ("p384", ec.generate_private_key(ec.SECP384R1())),
    ):
        with pytest.raises(StartError, match=r"is not a public key of the curve P-256.*openssl ec"):
            load_key(write_keys(tmp_path, name, key)[1])
    with pytest.raises(StartError, match="is not a public key"):
        load_key(keys[0][0])
    with pytest.raises(StartError, match=r"nowhere\.pem cannot be read: No such file"):
        load_key(tmp_path / "nowhere.pem")


@pytest.mark.workflow
def test_a_start_that_fails_is_one_line(model, keys, tmp_path):
    arguments = ["--port", "0", "--model", str(model), "--public-key", str(keys[0][1])]
    unsigned = tmp_path / "unsigned.onnx"
    unsigned.write_bytes(GOOD)
    check_failure(1, ["The shadow model cannot be used", "unsigned.onnx.sig"], *arguments, "--shadow", str(unsigned))
    missing = tmp_path / "missing" / "cryptography"
    missing.mkdir(parents=True)
    (missing / "__init__.py").write_text("raise ModuleNotFoundError")
    check_failure(1, ["--public-key", "pip install '.[signed]'"], *arguments, PYTHONPATH=str(missing.parent))
    put(OTHER, model)
    for workers in ("1", "2"):
        check_failure(1, [str(signature_of(model)), "changed"], *arguments, "--workers", workers)
    check_failure(1, ["nowhere.pem"], *arguments[:-2], INKLING_PUBLIC_KEY="nowhere.pem")


@pytest.mark.workflow
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_running_service_takes_a_signed_model_only(model, keys, tmp_path, workers):
    signed = signature_of(model).read_bytes()
    put(OTHER, model)
    others = sign(model, keys[0][0]).read_bytes()
    signature_of(model).write_bytes(signed)
    flags = ["--workers", workers, "--watch", "--public-key", str(keys[0][1])]
    with running(tmp_path, *flags) as service:  # it copies the committed model to this path
        serves = [
            lambda digest=digest: digest[:12] in ask(service.address, METADATA).body.decode() for digest in DIGESTS
        ]
        assert serves[0]()
        put(OTHER, service.model)  # the signature comes later
        wait_until(lambda: "was refused" in service.said(), service.popen)
        answer = ask(service.address, LOAD)
        assert answer.status == 400
        assert b"the file was changed" in answer.body
        service.popen.send_signal(signal.SIGHUP)
        wait_until(lambda: service.said().count("was refused") == 3, service.popen)
        assert serves[0]()
        put(others, signature_of(service.model))
        wait_until(lambda: all(serves[1]() for _ in range(4)), service.popen)


@pytest.mark.workflow
@pytest.mark.timeout(900)
def test_the_guide_s_commands_sign_in_two_clones_the_same_file_and_serve_it(tmp_path):
    if not shutil.which("openssl"):
        missing("there is no openssl here")
    (block,) = re.findall(r"```sh\n(openssl .*?)```", (ROOT / "docs/guide.md").read_text(), re.DOTALL)
    *lines, serve = block.splitlines()
    clones = [clone_into(tmp_path / name) for name in ("one", "two")]
    environment = OFFLINE | {"HOME": str(tmp_path)}
    printed = run(clones[0].directory, "sh", "-ec", "\n".join(lines), env=environment)
    for words in ("Verification succeeded", "agrees         signature", "agrees         statement"):
        assert words in printed
    (sign_line,) = (line for line in lines if "pipeline.sign" in line)
    run(clones[1].directory, "sh", "-ec", sign_line, env=environment)
    assert [clone.git("status", "--porcelain") for clone in clones] == ["", ""]
    one, two = (statement_of(signature_of(clone.directory / "models/digits.onnx")) for clone in clones)
    assert one == two
    assert one["predicate"]["resources"][0]["digest"] == DIGESTS[0]
    log = tmp_path / "log.txt"
    command = ["sh", "-c", f"exec {serve} --port 0"]
    options = {"cwd": clones[1].directory, "env": environment}
    with started(command, lambda: ANNOUNCEMENT in log.read_text(), log, **options):
        pass
