"""What a service answered, and holding it against what a good answer is."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiimprove.finding import Json

MOST_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True)
class Answer:
    """What came back: header names in small letters, `raw` as it was sent, `seconds` until the last byte read."""

    status: int
    headers: Mapping[str, str]
    raw: bytes
    seconds: float

    @property
    def body(self) -> bytes:
        """The content without its transfer coding; what cannot be decoded is given as it came."""
        if self.headers.get("content-encoding", "identity") not in ("gzip", "deflate"):
            return self.raw
        decoder = zlib.decompressobj(wbits=47)
        try:
            decoded = decoder.decompress(self.raw, MOST_BYTES)
        except zlib.error:
            return self.raw
        return decoded if decoder.eof or decoder.unconsumed_tail else self.raw

    def json(self) -> Json:
        """The body as JSON, None when it is something else."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass(frozen=True)
class Replay:
    """One replay of a probe: whether the answer was good, what was seen, and the figure behind it."""

    passed: bool
    observed: str
    value: float | None = None
    unit: str = ""


def judge(expect: Mapping[str, Json], answer: Answer) -> Replay:
    """Holds an answer against what a good answer is; the first unmet expectation is what was observed."""
    seen = Replay(True, f"answered {answer.status}", float(answer.status), "status")
    for name, meets in EXPECTATIONS.items():
        if name in expect:
            seen = meets(expect, answer)
            if not seen.passed:
                return seen
    return seen


def _status_below(expect: Mapping[str, Json], answer: Answer) -> Replay:
    return Replay(answer.status < expect["status_below"], f"answered {answer.status}", float(answer.status), "status")


def _status_in(expect: Mapping[str, Json], answer: Answer) -> Replay:
    return Replay(answer.status in expect["status_in"], f"answered {answer.status}", float(answer.status), "status")


def _headers(expect: Mapping[str, Json], answer: Answer) -> Replay:
    if answer.status >= 400 and not expect.get("any_status"):
        return Replay(False, f"answered {answer.status}", None)
    missing = [wanted["name"] for wanted in expect["headers"] if not _has_header(wanted, answer)]
    observed = f"lacks {', '.join(missing)}" if missing else "carries every header"
    return Replay(not missing, observed, float(len(missing)), "missing headers")


def _has_header(wanted: Mapping[str, Json], answer: Answer) -> bool:
    value = answer.headers.get(str(wanted["name"]).lower())
    if value is not None and re.search(wanted.get("pattern", ""), value, re.IGNORECASE):
        return True
    return any(_has_header(other, answer) for other in wanted.get("or", ()))


def cookies(answer: Answer) -> dict[str, tuple[str, frozenset[str]]]:
    """Every cookie that an answer sets: its value, and the names of its attributes in small letters."""
    found = {}
    for each in re.split(r", (?=[^;,=\s]+=)", answer.headers.get("set-cookie", "")):
        pair, *attributes = each.split(";")
        name, _, value = pair.strip().partition("=")
        found[name] = (value, frozenset(part.partition("=")[0].strip().lower() for part in attributes))
    return {name: rest for name, rest in found.items() if name}


def validators(answer: Answer) -> dict[str, str]:
    """What a browser sends to ask whether a file is still the same; empty where it was not told how to ask."""
    sent = {"if-none-match": answer.headers.get("etag"), "if-modified-since": answer.headers.get("last-modified")}
    return {name: value for name, value in sent.items() if value}


def _cookie(expect: Mapping[str, Json], answer: Answer) -> Replay:
    name, flags = expect["cookie"]["name"], expect["cookie"]["flags"]
    if name not in (found := cookies(answer)):
        return Replay(False, f"answered {answer.status} without the cookie {name}")
    missing = [flag for flag in flags if flag.lower() not in found[name][1]]
    observed = f"the cookie {name} lacks {', '.join(missing)}" if missing else f"the cookie {name} has every flag"
    return Replay(not missing, observed, float(len(missing)), "missing flags")


def _encoding(expect: Mapping[str, Json], answer: Answer) -> Replay:
    used, size = answer.headers.get("content-encoding", "identity"), len(answer.raw)
    most = expect.get("at_most_bytes", MOST_BYTES)
    readable = not expect.get("identity_readable") or len(answer.body) > min(size, most)  # a cut body is no saving
    good = answer.status < 400 and used in expect["encoding"] and size <= most and readable
    return Replay(good, f"answered {answer.status} with {size} bytes, encoding {used}", float(size), "bytes")


def _total_at_least(expect: Mapping[str, Json], answer: Answer) -> Replay:
    wanted = expect["json_total_at_least"]
    found = at_pointer(answer.json(), wanted["pointer"])
    total = len(found) if isinstance(found, (list, dict)) else found
    if isinstance(total, bool) or not isinstance(total, (int, float)) or answer.status >= 400:
        return Replay(False, f"answered {answer.status} without a number at {wanted['pointer'] or 'the top'}")
    return Replay(total >= wanted["value"], f"{total} results", float(total), "results")


def at_pointer(document: Json, pointer: str) -> Json:
    """What a JSON pointer names in a document; None when nothing stands there."""
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(document, list) and key.isdigit() and int(key) < len(document):
            document = document[int(key)]
        elif isinstance(document, dict):
            document = document.get(key)
        else:
            return None
    return document


_HTML = re.compile(r"<html\b(?:[^>\"']|\"[^\"]*\"|'[^']*')*>", re.IGNORECASE)


def html_language(answer: Answer) -> str | None:
    """The language that a page says it is in, empty when it does not say; None when it is no whole page."""
    tag = _HTML.search(answer.body.decode("utf-8", "replace"))
    said = re.search(r"""\slang\s*=\s*["']?([A-Za-z][\w-]*)""", tag[0], re.IGNORECASE) if tag else None
    return None if tag is None else said[1] if said else ""


def _html_lang(expect: Mapping[str, Json], answer: Answer) -> Replay:
    said = html_language(answer)
    good = answer.status < 400 and (said or "").partition("-")[0].lower() == expect["html_lang"]
    return Replay(good, f"answered {answer.status}, language {said or 'unsaid'}")


EXPECTATIONS: Mapping[str, Callable[[Mapping[str, Json], Answer], Replay]] = {
    "status_below": _status_below, "status_in": _status_in, "headers": _headers,
    "header": lambda expect, answer: _headers({"headers": [expect["header"]]}, answer),
    "encoding": _encoding, "cookie": _cookie, "json_total_at_least": _total_at_least,
    "html_lang": _html_lang,
}
