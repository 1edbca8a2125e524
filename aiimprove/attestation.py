"""An in-toto statement about one proof, in a DSSE envelope.

in-toto Attestation Framework, Statement v1; DSSE v1.0, "Dead Simple Signing Envelope", with its pre-authentication
encoding, so that what is signed cannot be read as something else.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiimprove.errors import VerificationFailed
from aiimprove.finding import Json
from aiimprove.improvement import Improvement

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "urn:aiimprove:evidence:v1"
PAYLOAD = "application/vnd.in-toto+json"


@dataclass(frozen=True)
class Signature:
    """`key` is the public key (Ed25519, 32 bytes), `signed` what it makes of the encoded payload."""

    key: bytes
    signed: bytes

    @property
    def key_id(self) -> str:
        return hashlib.sha256(self.key).hexdigest()


def statement(improvement: Improvement, made_by: str, materials: Mapping[str, str]) -> dict[str, Json]:
    """What is said of an improvement that was proven; `materials` are the SHA-256 digests of what proves it again."""
    evidence = improvement.evidence
    if evidence is None:
        raise VerificationFailed(f"{improvement.id} was not proven")
    patch = hashlib.sha256(improvement.patch.encode("utf-8", "surrogateescape")).hexdigest()
    told = improvement.to_json()
    return {
        "_type": STATEMENT, "predicateType": PREDICATE,
        "subject": [{"name": f"{improvement.id}.patch", "digest": {"sha256": patch}},
                    {"name": improvement.branch or improvement.id, "digest": {"gitCommit": improvement.commit}}],
        "predicate": {
            "made_by": made_by, "approval_digest": improvement.digest, "materials": dict(materials),
            "improvement": {key: told[key] for key in ("id", "finding", "author", "branch", "base_commit", "commit",
                                                       "patch", "claim", "evidence")}},
    }


def enveloped(said: Mapping[str, Json], sign: Callable[[bytes], Signature | None]) -> bytes:
    """The envelope around a statement; without a signature when `sign` gives none."""
    payload = json.dumps(said, sort_keys=True, ensure_ascii=True).encode()
    signature = sign(_encoded(payload))
    signatures = [{"keyid": signature.key_id, "sig": _text(signature.signed), "key": _text(signature.key)}] \
        if signature else []
    return json.dumps({"payloadType": PAYLOAD, "payload": _text(payload), "signatures": signatures}, indent=1).encode()


def opened(envelope: bytes, good: Callable[[bytes, Signature], bool]) -> tuple[dict[str, Json], str]:
    """The statement in an envelope, and the id of the key that signed it (empty: nobody did).

    Raises VerificationFailed when it is no such envelope, or its signature is not good.
    """
    try:
        outer = json.loads(envelope)
        payload = base64.b64decode(outer["payload"], validate=True)
        signatures = [Signature(base64.b64decode(each["key"]), base64.b64decode(each["sig"]))
                      for each in outer["signatures"]]
        said = json.loads(payload)
        known = outer["payloadType"] == PAYLOAD and (said["_type"], said["predicateType"]) == (STATEMENT, PREDICATE)
    except (ValueError, LookupError, TypeError, AttributeError):
        raise VerificationFailed("this is no envelope with a statement in it") from None
    if not known:
        raise VerificationFailed("the statement is of another kind than evidence of aiimprove")
    if not all(good(_encoded(payload), each) for each in signatures):
        raise VerificationFailed("the signature does not fit: the statement was changed after it was signed")
    return said, signatures[0].key_id if signatures else ""


def _encoded(payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding."""
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD), PAYLOAD.encode(), len(payload), payload)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
