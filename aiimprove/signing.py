"""The key of this installation, with which it signs evidence (Ed25519, RFC 8032; the extra `sign`)."""

from __future__ import annotations

from pathlib import Path

from aiimprove import atomic
from aiimprove.attestation import Signature

KEY = Path("keys") / "evidence"


def sign(state: Path, content: bytes) -> Signature | None:
    """Signed with the key in the state folder, which is made at the first time; None without the extra."""
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    except ImportError:
        return None
    made = atomic.make_once(state / KEY, Ed25519PrivateKey.generate().private_bytes_raw())
    key = Ed25519PrivateKey.from_private_bytes(made)
    return Signature(key.public_key().public_bytes_raw(), key.sign(content))


def good(content: bytes, signature: Signature) -> bool:
    """Whether the key of the signature made it. Raises ImportError without the extra."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(signature.key).verify(signature.signed, content)
    except (InvalidSignature, ValueError):
        return False
    return True
