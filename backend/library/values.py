"""Addresses, texts, durations and dates as strangers write them, made safe and plain."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urldefrag, urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser

MAX_URL = 2000
MAX_TITLE = 300
MAX_DESCRIPTION = 5000
MAX_TAGS = 20
MAX_TAG = 80
WEEK_SECONDS = 7 * 24 * 3600
ISO_DURATION = re.compile(r"P(?:(\d{1,4})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,9})(?:\.\d{1,9})?S)?)?")
CLOCK_DURATION = re.compile(r"(?:(\d{1,3}):)?(\d{1,2}):(\d{2})")


def web_address(value: object, base: str = "") -> str | None:
    """An absolute http or https address without fragment, or None when `value` is nothing of the kind."""
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_URL:
        return None
    try:
        address = urldefrag(urljoin(base, value.strip())).url
        parts = urlsplit(address)
        parts.port  # noqa: B018  the property checks the number
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        return None
    if not parts.netloc.isprintable() or " " in parts.netloc:
        return None
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._", errors="replace")
    query = "?" + quote(parts.query, safe="/%:@!$&'()*+,;=~-._?[]|", errors="replace") if parts.query else ""
    return f"{parts.scheme}://{parts.netloc.lower()}{path}{query}"


def own_page(value: object, page: str) -> str:
    """The address that a page gives itself; a page cannot speak for another site's pages."""
    address = web_address(value, page)
    return address if address and origin(address) == origin(page) else page


def origin(address: str) -> str:
    """Scheme, host and port of a web address."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.lower()}"


def text(value: object, limit: int) -> str:
    """Plain text on one line, at most `limit` characters; markup and unprintable characters are gone."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return ""
    value = value[: limit * 20].encode("utf-8", "ignore").decode("utf-8")
    if "<" in value or "&" in value:
        value = LexborHTMLParser(value).text(separator=" ")
    printable = "".join(character if character.isprintable() else " " for character in value)
    return " ".join(printable.split())[:limit].rstrip()


def labels(value: object) -> tuple[str, ...]:
    """Tags from a list, or from one text with commas."""
    parts = value.split(",") if isinstance(value, str) else value if isinstance(value, (list, tuple)) else []
    cleaned = [text(part, MAX_TAG) for part in parts[: MAX_TAGS * 2]]
    return tuple(dict.fromkeys(part for part in cleaned if part))[:MAX_TAGS]


def seconds(value: object) -> int | None:
    """A duration in seconds from a number, `PT1M30S` or `1:30`; None when it is neither or absurd."""
    written = str(value).strip().upper() if isinstance(value, (int, float, str)) else ""
    total = 0
    if iso := ISO_DURATION.fullmatch(written):
        days, hours, minutes, rest = (int(part or 0) for part in iso.groups())
        total = ((days * 24 + hours) * 60 + minutes) * 60 + rest
    elif clock := CLOCK_DURATION.fullmatch(written):
        hours, minutes, rest = (int(part or 0) for part in clock.groups())
        total = (hours * 60 + minutes) * 60 + rest
    elif re.fullmatch(r"\d{1,9}(\.\d{1,9})?", written):
        total = round(float(written))
    return total if 0 < total <= WEEK_SECONDS else None


def moment(value: object) -> str | None:
    """A date as `2026-01-31T12:00:00Z`, from ISO 8601 or the form of mails and feeds."""
    if not isinstance(value, str) or not 8 <= len(value.strip()) <= 60:
        return None
    written = value.strip()
    try:
        parsed = datetime.fromisoformat(written)
    except ValueError:
        try:
            parsed = parsedate_to_datetime(written)
        except (ValueError, TypeError, IndexError):
            return None
    try:
        aware = parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except OverflowError:
        return None
    return aware.strftime("%Y-%m-%dT%H:%M:%SZ") if aware.year >= 1890 else None


def first(value: object) -> object:
    """The first of a list, or the value itself."""
    return (value[0] if value else None) if isinstance(value, (list, tuple)) else value
