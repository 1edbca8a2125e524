"""Which requests of visitors are noted for replay, and where: routes and a log of Caddy's config.

Drawn by the end of the request's uuid, as the canary draws by its beginning. A body is noted only when its length is
said beforehand and small: to note it, it must be held, and what streams must not be. Nothing of an operator's is noted.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from aiimprove.finding import Json
from aiimprove.gateway.answering import log
from aiimprove.gateway.hygiene import OPERATOR_COOKIE, OPERATOR_TOKEN, Routes, anything_like_approval
from aiimprove.recording import raw_log
from aiimprove.settings import Config

LOGGER = "recorded"
SHARE, BODY = "recorded_share", "recorded_body"
"""Fields of a noted request: the percentage that was drawn, and the body in base64."""
_STEPS = 16**3
_UNTIL_64_KB = r"^(?:\d{1,4}|[1-5]\d{4}|6[0-4]\d{3})$"
_KNOWN_BODIES = r"(?i)^application/(?:[\w.+-]*json|x-www-form-urlencoded)\s*(?:;|$)"


@dataclass(frozen=True)
class Recording:
    """The raw log, at most twice `megabytes` of it, and the shares of reads and writes in percent."""

    raw: Path
    reads_percent: float
    writes_percent: float
    megabytes: int = 2

    @classmethod
    def of(cls, config: Config) -> Recording | None:
        """None when nothing is to be recorded."""
        wanted = config.recorder
        if not wanted.reads_percent and not wanted.writes_percent:
            return None
        return cls(raw_log(config), wanted.reads_percent, wanted.writes_percent)

    def logs(self) -> dict[str, Json]:
        unwanted = ["request>remote_ip", "request>client_ip", "request>remote_port", "request>proto", "request>tls",
                    "resp_headers", "user_id", "bytes_read"]
        return {LOGGER: {
            "writer": {"output": "file", "filename": str(self.raw), "mode": "0600", "roll": True,
                       "roll_size_mb": self.megabytes, "roll_keep": 1, "roll_gzip": False},
            "encoder": {"format": "filter", "wrap": {"format": "json"},
                        "fields": {name: {"filter": "delete"} for name in unwanted}},
            "include": [f"http.log.access.{LOGGER}"]}}

    def routes(self) -> Routes:
        """They must stand before an operator's cookie is taken out: by it operators are known."""
        bare = [{"header": {"Content-Length": ["*"]}}, {"header": {"Transfer-Encoding": ["*"]}}]
        sized = {"header_regexp": {"Content-Length": {"pattern": _UNTIL_64_KB},
                                   "Content-Type": {"pattern": _KNOWN_BODIES}}}
        writes = {"method": ["POST", "PUT", "PATCH", "DELETE"]}
        return [*_noted(self.reads_percent, {"method": ["GET", "HEAD"]}, bare, {}),
                *_noted(self.writes_percent, writes, bare, {}),
                *_noted(self.writes_percent, writes | sized, bare[1:], {BODY: "{http.request.body_base64}"})]


def _noted(percent: float, which: Json, without: list[Json], more: dict[str, str]) -> Routes:
    steps = round(percent * _STEPS / 100)
    if not steps:
        return []
    fields = {SHARE: f"{percent:g}", **more}
    note: Json = {"match": [{"not": _of_no_visitor()}], "handle": [
        {"handler": "vars", "access_logger_names": ["", LOGGER]}, *(log(key, value) for key, value in fields.items())]}
    return [{"match": [which | {"not": without} | _drawn(steps)],
             "handle": [{"handler": "subroute", "routes": [note]}]}]


def _of_no_visitor() -> list[Json]:
    """Operators, previews of a candidate, our own replays; and what is listened to without an end."""
    token = rf"(?i)^\s*bearer\s+{OPERATOR_TOKEN}"
    marks = {"X-Aiimprove-Candidate": "*", "X-Aiimprove-Replay": "*", "Upgrade": "*", "Accept": "text/event-stream*"}
    return [*anything_like_approval(),
            {"header_regexp": {"Cookie": {"pattern": rf"(?i){OPERATOR_COOKIE}"}}},
            {"header_regexp": {"Authorization": {"pattern": token}}},
            *({"header": {name: [value]}} for name, value in marks.items())]


def _drawn(steps: int) -> dict[str, Json]:
    """Matches that many of 4096 requests."""
    if steps >= _STEPS:
        return {}
    digits, any_digit = f"{steps:03x}", "[0-9a-f]"
    ways = [digits[:place] + _less(digit) + any_digit * (2 - place)
            for place, digit in enumerate(digits) if digit != "0"]
    return {"vars_regexp": {"{http.request.uuid}": {"pattern": f"(?:{'|'.join(ways)})$"}}}


def _less(digit: str) -> str:
    return "[" + "0123456789abcdef"[:int(digit, 16)] + "]"
