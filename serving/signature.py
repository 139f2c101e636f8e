"""Verify the signature beside a model file: a Sigstore bundle, as `python -m pipeline.sign` writes it.

The bundle contains an in-toto statement with the SHA-256 of the file, signed as a DSSE envelope.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from serving.errors import ModelError, StartError

CURVE = "secp256r1"  # P-256


class _Signature(Struct):
    sig: bytes  # base64 in JSON, like the payload


class Envelope(Struct, rename="camel"):
    """What is signed, with its signature."""

    payload: bytes
    payload_type: Literal["application/vnd.in-toto+json"]
    signatures: Annotated[list[_Signature], Meta(min_length=1, max_length=1)]


class _Bundle(Struct, rename="camel"):
    dsse_envelope: Envelope


class _Resource(Struct):
    algorithm: Literal["sha256"]
    digest: str


class Predicate(Struct):
    """What a statement says: the digest of the file, and where it comes from."""

    resources: Annotated[list[_Resource], Meta(min_length=1, max_length=1)]
    provenance: dict[str, Any] = {}


class _Statement(Struct, rename="camel"):
    predicate_type: Literal["https://model_signing/signature/v1.0"]
    predicate: Predicate


class SignatureError(Exception):
    """A signature is not valid. The text is the reason."""


@dataclass(frozen=True)
class PublicKey:
    """A public key of the curve P-256, and the path that it was read from."""

    path: Path
    key: Any  # of `cryptography`, which is imported only if there is a key

    def verify(self, bundle: bytes, content: bytes) -> Predicate:
        """Return what the signature of a file with this content says.

        Raises:
            SignatureError: the signature is not valid.
        """
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
        from cryptography.hazmat.primitives.hashes import SHA256

        envelope, predicate = read_bundle(bundle)
        head = f"DSSEv1 {len(envelope.payload_type)} {envelope.payload_type} {len(envelope.payload)} "
        try:
            self.key.verify(envelope.signatures[0].sig, head.encode() + envelope.payload, ECDSA(SHA256()))
        except InvalidSignature:
            raise SignatureError(f"it was changed, or made with another key than that of {self.path}") from None
        if predicate.resources[0].digest != hashlib.sha256(content).hexdigest():
            raise SignatureError("it is for another file, or the file was changed")
        return predicate

    def read(self, model: Path) -> bytes:
        """Return the content of a model file whose signature is valid.

        Raises:
            ModelError: the file is missing, not signed or changed.
        """
        signature = signature_of(model)
        try:
            content, bundle = model.read_bytes(), signature.read_bytes()
            self.verify(bundle, content)
        except OSError as error:
            do = "--public-key needs the model file and its signature"
            raise ModelError(f"{error.filename} cannot be read: {error.strerror}. {do}.") from None
        except SignatureError as error:
            raise ModelError(f"The signature {signature} is refused: {error}. Sign the model file again.") from None
        return content


def signature_of(model: Path) -> Path:
    """Return the path of the signature of a model file."""
    return model.with_name(f"{model.name}.sig")


def read_bundle(bundle: bytes) -> tuple[Envelope, Predicate]:
    """Return the parts of a signature without verifying it, or raise `SignatureError`."""
    try:
        envelope = msgspec.json.decode(bundle, type=_Bundle).dsse_envelope
        return envelope, msgspec.json.decode(envelope.payload, type=_Statement).predicate
    except (msgspec.MsgspecError, RecursionError) as error:
        raise SignatureError(f"it is damaged, or of another kind ({error})") from None


@cache  # the workers keep the key that was read at the start
def load_key(path: Path | None) -> PublicKey | None:
    """Read a public key, or raise `StartError`. Without a path, return None."""
    if not path:
        return None
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
    except ModuleNotFoundError:
        raise StartError("--public-key needs the package cryptography. Install: pip install '.[signed]'") from None
    try:
        key = load_pem_public_key(path.read_bytes())
        if isinstance(key, EllipticCurvePublicKey) and key.curve.name == CURVE:
            return PublicKey(path, key)
    except OSError as error:
        raise StartError(f"The public key {path} cannot be read: {error.strerror}.") from None
    except (ValueError, UnsupportedAlgorithm):
        pass
    do = f"`openssl ec -in private.pem -pubout -out {path}` writes one"
    raise StartError(f"{path} is not a public key of the curve P-256 in PEM: {do}.")
