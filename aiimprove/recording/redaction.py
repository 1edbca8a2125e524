"""Taking out what belongs to a person or opens a door, so that requests stay what they were otherwise.

A value is replaced by one of the same shape (letters for letters, digits for digits), always the same for the same
value, so that what was written and then asked for still meets. The replacement is drawn with a key of this machine.
What a rule cannot know (free text) is kept: docs/security.md says so.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, unquote, urlencode

from aiimprove.finding import Json
from aiimprove.recording.request import FORM

_SECRET = ("password", "passwd", "passphrase", "pwd", "secret", "token", "apikey", "accesskey", "privatekey", "auth",
           "session", "csrf", "xsrf", "cookie", "credential", "signature", "otp", "pincode", "cvv", "cvc", "iban",
           "cardnumber", "ssn")
_PERSONAL = ("email", "mail", "phone", "mobile", "telephone", "fax", "firstname", "lastname", "fullname", "surname",
             "username", "nickname", "familyname", "givenname", "birthday", "birthdate", "dateofbirth", "address",
             "street", "postcode", "zipcode", "latitude", "longitude")
_WHOLE = frozenset({"name", "user", "login", "key", "sig", "pin", "tel", "dob", "sid", "jwt", "code", "state", "city",
                    "zip", "ip", "author", "contact"})
"""Words that say it only when the name is nothing else."""
_EMAIL = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"(?<![\w-])(?:\+|00)\d[\d ()/.-]{6,18}\d(?!\w)")
_CARD = re.compile(r"(?<![\w-])\d(?:[ -]?\d){12,18}(?![\w-])")
_JWT = re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*")
_LONG = re.compile(r"(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{24,}(?![\w-])")
_UUID = re.compile(r"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_KEPT_HEADERS = frozenset({"accept", "accept-encoding", "accept-language", "content-type", "origin", "rsc",
                           "x-requested-with"})
_KEPT_BEGINNINGS = ("sec-fetch-", "next-router-")
_DEEPEST = 40


def private(name: str) -> bool:
    """Whether a field of this name holds a secret or says who somebody is."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    return plain in _WHOLE or any(word in plain for word in (*_SECRET, *_PERSONAL))


class Redaction:
    """`key` makes the replacements: 32 bytes that stay on this machine."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Only those that are known to say nothing about a person."""
        small = {name.lower(): value for name, value in headers.items()}
        return {name: value for name, value in small.items()
                if name in _KEPT_HEADERS or name.startswith(_KEPT_BEGINNINGS)}

    def uri(self, uri: str) -> str:
        path, mark, query = uri.partition("?")
        parts = [part if (found := self.text(unquote(part))) == unquote(part) else quote(found, safe="@+")
                 for part in path.split("/")]
        pairs = parse_qsl(query, keep_blank_values=True)
        fields = self._pairs(pairs)
        return "/".join(parts) + mark + (query if fields == pairs else urlencode(fields, quote_via=quote))

    def body(self, content: bytes, kind: str) -> str:
        """The body of a form or a JSON document. Raises ValueError for what is neither."""
        text = content.decode("utf-8")
        if kind.startswith(FORM):
            return urlencode(self._pairs(parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text))))
        return json.dumps(self._value("", json.loads(text), 0), ensure_ascii=False)

    def text(self, text: str) -> str:
        """A value that no name speaks of: what looks like a person's or like a key is replaced."""
        for pattern in (_EMAIL, _JWT, _CARD, _PHONE, _LONG):
            text = pattern.sub(lambda found: found[0] if _UUID.fullmatch(found[0]) else self.alike(found[0]), text)
        return text

    def alike(self, text: str) -> str:
        """Another text of the same shape; an address of mail keeps being one."""
        if _EMAIL.fullmatch(text):
            return f"{self._drawn(text.partition('@')[0])}@example.org"
        return self._drawn(text)

    def _pairs(self, pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
        return [(name, self.alike(value) if private(name) else self.text(value)) for name, value in pairs]

    def _value(self, name: str, value: Json, depth: int) -> Json:
        if depth > _DEEPEST:
            raise ValueError("nested too deeply")
        if isinstance(value, dict):
            return {key: self._value(key if not private(name) or private(key) else name, each, depth + 1)
                    for key, each in value.items()}
        if isinstance(value, list):
            return [self._value(name, each, depth + 1) for each in value]
        if isinstance(value, str):
            return self.alike(value) if private(name) else self.text(value)
        if private(name) and isinstance(value, (int, float)) and not isinstance(value, bool):
            return type(value)(self._drawn(str(value)))
        return value

    def _drawn(self, text: str) -> str:
        drawn = hashlib.shake_256(hmac.digest(self._key, text.encode("utf-8", "surrogatepass"), "sha256")).digest(
            len(text))
        return "".join(map(_same_kind, text, drawn))


def _same_kind(letter: str, drawn: int) -> str:
    if letter.isdigit():
        return str(1 + drawn % 9)
    if letter.isalpha():
        other = chr(ord("a") + drawn % 26)
        return other.upper() if letter.isupper() else other
    return letter
