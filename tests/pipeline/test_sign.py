"""Sign a model in a small project in git; contract/test_signed.py signs the committed model."""

import hashlib
import json
import shutil
from functools import partial

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption

from pipeline import lineage, register
from pipeline.base.errors import InklingError, PromotionError
from pipeline.lineage import LineageError
from pipeline.provenance import statement
from pipeline.provenance.checks import AGREES, DIFFERS, SKIPPED
from pipeline.sign import sign
from serving.signature import signature_of
from tests.keys import change_statement, statement_of, write_keys
from tests.pipeline.lineage_project import CONFIG, DIGESTS, LineageProject, config, sha256


@pytest.fixture(autouse=True)
def no_store(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    project = LineageProject(tmp_path_factory.mktemp("made") / "project")
    project.make_repository()
    project.write(".gitignore", "*.sig\n")
    project.write("requirements/all.txt", "numpy==2.0\n")
    project.content = project.export(config())
    project.commit()
    project.private, project.public = write_keys(tmp_path_factory.mktemp("keys"), "own")
    return project


@pytest.fixture
def project(made, tmp_path, monkeypatch):
    """A copy that a test may change."""
    project = made.copy_to(tmp_path / "project")
    monkeypatch.setattr(lineage, "trace", project.trace)
    return project


def model_of(project):
    return project.directory / "models/digits.onnx"


def sign_in(project, key=None):
    return sign(model_of(project), key or project.private, directory=project.directory)


def verify(project, key=None):
    """Return the results of the signature's checks, and their notes."""
    found = project.trace(str(model_of(project)))
    before = len(found.checks)
    lineage.verify(found, model_of(project), key or project.public, project.directory)
    return [(check.what, check.result) for check in found.checks[before:]], found.checks[-1].note


def test_the_statement_has_the_file_its_data_code_and_parameters(project):
    signature = sign_in(project)
    assert signature == signature_of(model_of(project))
    signed = statement_of(signature)
    digest = sha256(project.content)
    assert signed["subject"] == [{"name": "digits.onnx", "digest": {"sha256": sha256(bytes.fromhex(digest))}}]
    assert [one["digest"] for one in signed["predicate"]["resources"]] == [digest]
    build = signed["predicate"]["provenance"]["buildDefinition"]
    found = {one["name"]: one["digest"] for one in build["resolvedDependencies"]}
    assert found == {
        "code": {"gitCommit": project.git("rev-parse", "HEAD")},
        "dvc.lock": {"sha256": hashlib.sha256(project.read("dvc.lock").encode()).hexdigest()},
        "requirements/all.txt": {"sha256": hashlib.sha256(b"numpy==2.0\n").hexdigest()},
        "data/prepared": {"dvcMd5": "3" * 32 + ".dir"},
        **{f"data/prepared, {name}": {"sha256": digest} for name, digest in DIGESTS.items()},
    }
    assert build["externalParameters"]["train.epochs"] == CONFIG.train.epochs
    assert build["externalParameters"]["runtime.mode"] == "portable"
    assert build["internalParameters"]["train"] == "python -m pipeline.train"
    builder = signed["predicate"]["provenance"]["runDetails"]["builder"]
    assert builder["version"].keys() == {"python", "platform"}


def test_lineage_verifies_the_signature_and_the_statement(project, monkeypatch, capsys):
    sign_in(project)
    assert verify(project)[0] == [("signature", AGREES), ("statement", AGREES)]
    monkeypatch.setattr(lineage, "verify", partial(lineage.verify, directory=project.directory))
    arguments = [str(model_of(project)), "--verify", str(project.public)]
    lineage.main(arguments)
    assert "agrees         statement" in capsys.readouterr().out
    change_statement(signature_of(model_of(project)), '"portable"', '"fast"')
    with pytest.raises(SystemExit, match="1"):
        lineage.main(arguments)
    assert "it was changed, or made with another key" in " ".join(capsys.readouterr().out.split())


def test_a_signed_statement_that_is_not_true_differs(project, monkeypatch):
    build = statement.build_definition
    for change, result in (
        (lambda built: built["externalParameters"].update({"train.epochs": 99}), DIFFERS),
        (lambda built: built["resolvedDependencies"][1].update(digest={"sha256": "0" * 64}), DIFFERS),
        (lambda built: built["resolvedDependencies"][0]["digest"].update(gitCommit="0" * 40), SKIPPED),
        (lambda built: built["resolvedDependencies"].clear(), SKIPPED),
    ):

        def lie(*arguments, change=change):
            built = build(*arguments)
            change(built)
            return built

        with monkeypatch.context() as context:
            context.setattr(statement, "build_definition", lie)
            sign_in(project)
        found, note = verify(project)
        assert found == [("signature", AGREES), ("statement", result)], note


def test_a_file_without_a_valid_signature_does_not_verify(project, tmp_path):
    assert verify(project)[0] == [("signature", DIFFERS)]
    sign_in(project)
    assert verify(project, write_keys(tmp_path, "other")[1])[0] == [("signature", DIFFERS)]
    for asked, key in ((model_of(project), project.private), (tmp_path / "nowhere.onnx", project.public)):
        with pytest.raises(LineageError):
            lineage.verify(project.trace(str(model_of(project))), asked, key, project.directory)


def change_code(project):
    project.write("pipeline/train.py", "# changed")
    project.commit()


def remove_lock(project):
    (project.directory / "dvc.lock").unlink()
    project.commit()


def replace_model(project):
    shutil.copy(project.directory / "params.yaml", model_of(project))
    project.commit()


FAULTS = {
    "the git tree has changes": lambda project: project.write("new.txt", ""),
    "the commit has no dvc.lock: run `dvc repro`": remove_lock,
    "is not the file in dvc.lock: run `dvc repro` and commit": replace_model,
    r"3 paths of code and results of .* differ from dvc\.lock of \w+ \(pipeline/train\.py\)": change_code,
    "name a model file": lambda project: model_of(project).unlink(),
    "git reports: .*not a git repository": lambda project: shutil.rmtree(project.directory / ".git"),
}


@pytest.mark.parametrize("reason", FAULTS)
def test_a_file_that_is_not_the_result_of_the_commit_is_not_signed(project, reason):
    FAULTS[reason](project)
    with pytest.raises(InklingError, match=reason):
        sign_in(project)
    assert not signature_of(model_of(project)).exists()


def test_a_key_that_cannot_sign_is_named(project, tmp_path):
    faults = {
        "another kind": [rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP384R1())],
        "it has a password, which `openssl ec` removes": [ec.generate_private_key(ec.SECP256R1())],
    }
    for reason, keys in faults.items():
        encryption = [BestAvailableEncryption(b"secret")] if "password" in reason else []
        for key in keys:
            with pytest.raises(InklingError, match=reason):
                sign_in(project, write_keys(tmp_path, "bad", key, *encryption)[0])
    with pytest.raises(InklingError, match="it is damaged, or a public key"):
        sign_in(project, project.public)
    with pytest.raises(InklingError, match=r"nowhere\.pem can't be read \(No such file.*`--help` says how to make one"):
        sign_in(project, tmp_path / "nowhere.pem")


def test_register_takes_a_signature_of_its_file_only(project):
    assert register.read_signature(model_of(project)) == ""
    signature = sign_in(project)
    assert json.loads(register.read_signature(model_of(project))) == json.loads(signature.read_text())
    for spoil in (lambda: model_of(project).write_bytes(b"another"), lambda: signature.write_text("{")):
        spoil()
        with pytest.raises(PromotionError, match="sign the model again, or remove it"):
            register.read_signature(model_of(project))
