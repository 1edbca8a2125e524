"""The wall clock, in the one format the database holds."""

from datetime import UTC, datetime


def now() -> str:
    """The present moment, UTC, to the millisecond."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
