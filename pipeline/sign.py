"""Sign a model file with a key of your own, and state how it was built.

python -m pipeline.sign models/digits.onnx --key private.pem       writes models/digits.onnx.sig

The file must be the result of the commit that is checked out. The signature contains its SHA-256, and its data, code
and parameters by dvc.lock. `python -m pipeline.lineage FILE --verify public.pem` and the service's --public-key
verify it. The key is of the curve P-256, without a password:

openssl ecparam -name prime256v1 -genkey -noout -out private.pem
openssl ec -in private.pem -pubout -out public.pem
"""

import argparse
import hashlib
import sys
from pathlib import Path

from pipeline.base.errors import InklingError
from pipeline.base.files import write_atomic
from pipeline.base.paths import ROOT
from pipeline.lineage import read_card
from pipeline.provenance.checks import DIFFERS, compare_commit
from pipeline.provenance.commits import contents
from pipeline.provenance.dvc_lock import stages_to
from pipeline.provenance.statement import provenance
from pipeline.tracking.git import git
from serving.signature import CURVE, signature_of


class SigningError(InklingError):
    """The key can't be used, or the file is not the result of the commit."""


def sign(model: Path, key: Path, directory: Path = ROOT) -> Path:
    """Sign a model file, and return the path of the signature beside it.

    Raises:
        SigningError: see there.
        DataError: the file is not a model file, or dvc.lock can't be read.
        GitError: git fails, such as outside a repository.
    """
    check_key(key)
    # Not in the base environment, and slow to import.
    from model_signing import hashing
    from model_signing._signing.sign_ec_key import Signer  # the public functions can't add a provenance
    from model_signing._signing.signing import Payload

    try:
        content = model.read_bytes()
    except OSError as error:
        raise SigningError(f"{model} can't be read ({error.strerror}): name a model file") from error
    if changes := git(directory, "status", "--porcelain").decode().rstrip():
        raise SigningError(f"the git tree has changes; commit or remove them, then sign:\n{changes}")
    commit = git(directory, "rev-parse", "HEAD").decode().rstrip()
    (lock,) = contents([f"{commit}:./dvc.lock"], directory)
    if lock is None:
        raise SigningError("the commit has no dvc.lock: run `dvc repro`, commit, then sign")
    stages = stages_to(lock.decode(), hashlib.md5(content).hexdigest())  # noqa: S324 - DVC's
    if not stages:
        do = f"run `dvc repro` and commit, or check out its commit (`python -m pipeline.lineage {model}`)"
        raise SigningError(f"{model} is not the file in dvc.lock: {do}")
    card = read_card(content, str(model))
    for check in compare_commit(card, commit, stages, directory):
        if check.result == DIFFERS:
            do = "run `dvc repro`, commit, then sign"
            raise SigningError(f"{check.what} of {model} differ from {check.where} ({check.note}): {do}")
    payload = Payload(hashing.Config().set_ignored_paths(paths=[], ignore_git_paths=False).hash(model.resolve()))
    payload.statement.pb.predicate.update({"provenance": provenance(card, commit, stages, directory)})
    output = signature_of(model)
    write_atomic(output, Signer(key).sign(payload).write)
    return output


def check_key(path: Path) -> None:
    """Raise SigningError unless a file has a private key of the kind that the service verifies."""
    try:
        import model_signing  # noqa: F401 - it comes with the same extra
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ModuleNotFoundError as error:
        raise SigningError(f"the package {error.name} is missing: pip install -e '.[sign]'") from error
    try:
        key = load_pem_private_key(path.read_bytes(), None)
        if isinstance(key, EllipticCurvePrivateKey) and key.curve.name == CURVE:
            return
        reason = "it is of another kind"
    except OSError as error:
        raise SigningError(f"the key {path} can't be read ({error.strerror}): `--help` says how to make one") from error
    except TypeError:
        reason = "it has a password, which `openssl ec` removes"
    except (ValueError, UnsupportedAlgorithm):
        reason = "it is damaged, or a public key"
    raise SigningError(f"{path} is not a private key of the curve P-256 without a password: {reason}")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--key", type=Path, required=True, help="private key in PEM")
    options = parser.parse_args()
    try:
        print(sign(options.model, options.key))
    except InklingError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
