"""Every failure that aiimprove foresees, each with the code and the exit code that the command line reports.

    AiimproveError              1   a bug, or the machine failed us
      UsageError                2   the words of the call are wrong
        ConfigError             2   config.toml is wrong
        SchemaTooNew            2   the state was written by a newer aiimprove
      Refused                   3   not allowed as things stand (wrong status, not approved)
        Stale                   3   the digest, the base or the version moved meanwhile
        NotOperator             3   neither a valid token nor a person at a terminal
        NoRoom                  3   the disk would not hold it
      VerificationFailed        4   a check failed
      ReleaseFailed             5   the release was not put live; the previous one still serves
        BuildFailed             5
        NotHealthy              5
          TooSlow               5   no answer at all in time: the machine may be to blame
        MigrationFailed         5
        MachineFailed           5   the machine failed, not the release: it is tried again
      Locked                    6   somebody else is at it
      NotFound                  7   no such thing
"""

from __future__ import annotations


class AiimproveError(Exception):
    """A failure with a sentence for a person; `code` and `exit_code` are for programs."""

    code = "error"
    exit_code = 1


class UsageError(AiimproveError):
    code = "usage"
    exit_code = 2


class ConfigError(UsageError):
    code = "config"


class SchemaTooNew(UsageError):
    code = "schema_too_new"


class Refused(AiimproveError):
    code = "refused"
    exit_code = 3


class Stale(Refused):
    code = "stale"


class NotOperator(Refused):
    code = "not_operator"


class NoRoom(Refused):
    code = "no_room"


class VerificationFailed(AiimproveError):
    code = "verification_failed"
    exit_code = 4


class ReleaseFailed(AiimproveError):
    code = "release_failed"
    exit_code = 5


class BuildFailed(ReleaseFailed):
    code = "build_failed"


class NotHealthy(ReleaseFailed):
    code = "not_healthy"


class TooSlow(NotHealthy):
    """Nothing came back in time: it may be the service, or a machine that has too much to do."""


class MigrationFailed(ReleaseFailed):
    code = "migration_failed"


class MachineFailed(ReleaseFailed):
    code = "machine_failed"


class Locked(AiimproveError):
    code = "locked"
    exit_code = 6


class NotFound(AiimproveError):
    code = "not_found"
    exit_code = 7
