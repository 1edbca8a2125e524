"""robots.txt as RFC 9309 has it: the longest matching rule decides, unreachable means no."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from library.fetcher import USER_AGENT, Fetcher, FetchFailed
from library.values import origin

NAME = USER_AGENT.split("/")[0].lower()
MAX_BYTES = 500_000
MAX_DELAY_SECONDS = 5.0


class Disallowed(Exception):
    """The site's robots.txt does not want this address read."""


@dataclass
class Rules:
    """What one robots.txt says to this crawler. `delay` is in seconds; None when it says nothing about it."""

    rules: list[tuple[str, bool]] = field(default_factory=list)
    delay: float | None = None

    def allows(self, path: str) -> bool:
        """Whether the path, with its query, may be read."""
        matching = [(len(pattern), allow) for pattern, allow in self.rules if matches(pattern, path)]
        return max(matching, default=(0, True))[1]


FORBID_ALL = Rules([("/", False)])


def parse(body: str) -> Rules:
    """The group for this crawler, else the one for everybody, else no rules."""
    groups: dict[str, Rules] = {}
    current: list[Rules] = []
    naming = False
    for line in body.splitlines():
        key, _, value = line.split("#")[0].partition(":")
        key, value = key.strip().lower(), value.strip()
        if key == "user-agent":
            group = groups.setdefault(value.lower(), Rules())
            current = [*current, group] if naming else [group]
            naming = True
        elif key:
            naming = False
            for group in current:
                _tell(group, key, value)
    return groups.get(NAME) or groups.get("*") or Rules()


def matches(pattern: str, path: str) -> bool:
    """`*` stands for anything, a final `$` for the end; the time is linear whatever the pattern."""
    anchored = pattern.endswith("$")
    first, *rest = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    position = len(first)
    for number, piece in enumerate(rest, start=1):
        if anchored and number == len(rest):
            return path.endswith(piece) and len(path) - len(piece) >= position
        found = path.find(piece, position)
        if found < 0:
            return False
        position = found + len(piece)
    return not anchored or position == len(path)


class Robots:
    """The rules of every site that one crawl touches, each read once."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher
        self._known: dict[str, Rules] = {}

    def require(self, url: str) -> None:
        """Raises Disallowed when the address must not be read."""
        parts = urlsplit(url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if not self.rules(url).allows(path):
            raise Disallowed(url)

    def delay(self, url: str) -> float | None:
        """Seconds to wait between two pages of this site, bounded; None when the site does not say."""
        delay = self.rules(url).delay
        return None if delay is None else min(delay, MAX_DELAY_SECONDS)

    def rules(self, url: str) -> Rules:
        """The rules of the address's site."""
        site = origin(url)
        if site not in self._known:
            self._known[site] = self._read(f"{site}/robots.txt")
        return self._known[site]

    def _read(self, url: str) -> Rules:
        try:
            answer = self._fetcher.get(url)
        except FetchFailed:
            return FORBID_ALL
        if answer.status == 200:
            return parse(answer.body[:MAX_BYTES].decode("utf-8", "replace"))
        return FORBID_ALL if answer.status >= 500 else Rules()


def _tell(group: Rules, key: str, value: str) -> None:
    if key in ("allow", "disallow") and value:
        group.rules.append((value, key == "allow"))
    elif key == "crawl-delay":
        try:
            delay = float(value)
        except ValueError:
            return
        group.delay = delay if 0 <= delay < float("inf") else None
