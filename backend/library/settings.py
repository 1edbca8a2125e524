"""What the environment says."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """The service's settings.

    allowed_hosts: "host:port" pairs that may be crawled although their address is not public.
    crawls: whether this process performs queued crawls; off for a copy that must not reach out.
    """

    database: Path
    allowed_hosts: frozenset[str]
    crawls: bool

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Settings":
        hosts = environment.get("VIDEO_LIBRARY_ALLOWED_HOSTS", "").split(",")
        return cls(
            database=Path(environment.get("VIDEO_LIBRARY_DB", "library.db")),
            allowed_hosts=frozenset(host.strip().lower() for host in hosts if host.strip()),
            crawls=environment.get("VIDEO_LIBRARY_CRAWLER", "on") != "off",
        )
