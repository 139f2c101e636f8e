"""Keys and signatures for tests."""

import base64
import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from model_signing import signing

from serving.signature import signature_of


def write_keys(directory: Path, name: str, key=None, encryption=NoEncryption()) -> tuple[Path, Path]:  # noqa: B008
    """Write a private and a public key, by default of a new pair of the curve P-256. Return their paths."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    private, public = directory / f"{name}.pem", directory / f"{name}.pub.pem"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public


def sign(model: Path, private: Path) -> Path:
    """Sign a model file as `model_signing sign key` does. Return the signature."""
    signing.Config().use_elliptic_key_signer(private_key=private).sign(model, signature_of(model))
    return signature_of(model)


def statement_of(signature: Path) -> dict:
    return json.loads(base64.b64decode(json.loads(signature.read_text())["dsseEnvelope"]["payload"]))


def change_statement(signature: Path, old: str, new: str) -> None:
    """Replace a text in the statement of a signature, which is not made again."""
    bundle = json.loads(signature.read_text())
    statement = base64.b64decode(bundle["dsseEnvelope"]["payload"]).decode()
    assert old in statement
    bundle["dsseEnvelope"]["payload"] = base64.b64encode(statement.replace(old, new).encode()).decode()
    signature.write_text(json.dumps(bundle))
