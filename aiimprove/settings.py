"""The shape of config.toml: every table and key, with what it means and what it is when absent.

docs/config.md is generated from this file; `config.py` reads the file of a person into it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


def key(default: Any, meaning: str, *, least: float | None = None, most: float | None = None) -> Any:
    """A key of the config with its default, its meaning and, for numbers, its bounds (inclusive)."""
    metadata = {"meaning": meaning, "least": least, "most": most}
    if isinstance(default, (list, dict)):
        return field(default_factory=lambda: type(default)(default), metadata=metadata)
    return field(default=default, metadata=metadata)


Argv = list[str]


@dataclass(frozen=True)
class Intervals:
    """How often `run` looks at each step."""

    health: float = key(30.0, "seconds between two health checks", least=1)
    analyze: float = key(300.0, "seconds between two looks for findings", least=1)
    generate: float = key(300.0, "seconds between two looks for findings to write", least=1)
    test: float = key(60.0, "seconds between two looks for candidates to prove", least=1)
    approvals: float = key(10.0, "seconds between two looks for approved improvements", least=1)


@dataclass(frozen=True)
class Limits:
    """What is too much."""

    waiting: int = key(3, "improvements that may wait for an answer at once", least=1, most=50)
    first_day: int = key(1, "improvements that 'run' lets wait at once on the first day", least=1, most=50)
    answer_days: float = key(14.0, "days after which an unanswered request expires", least=0.01)
    evidence_hours: float = key(168.0, "hours after which a proof does not count any more: it is made again before "
                                       "anybody may act on it", least=0.01, most=8760)
    changed_files: int = key(8, "files one candidate may change", least=1)
    changed_lines: int = key(200, "lines one candidate may add or remove", least=1)
    attempts: int = key(3, "times a step whose infrastructure failed is tried again", least=1)
    releases: int = key(5, "releases that are kept besides the ones in use", least=1)
    health_days: float = key(14.0, "days of health history that are kept", least=0.01)
    backups: int = key(5, "backups of the live data that are kept", least=1)
    finding_days: float = key(90.0, "days that a finding which nobody sees any more is kept", least=0.01)
    answered: int = key(200, "closed improvements that keep their patch and evidence, the newest first", least=1)
    deployments: int = key(500, "ended deployments that stay on record", least=10)
    events: int = key(20_000, "events in state.db; when there are more, the older half is packed into a file", least=10)
    events_mb: float = key(100.0, "megabytes of packed events; beyond that the oldest file goes", least=1)
    log_mb: float = key(20.0, "megabytes a log may hold before it begins anew; what it held stays once", least=0.01)
    logs_mb: float = key(400.0, "megabytes of logs of builds and of services that run no more", least=1)
    free_mb: float = key(500.0, "megabytes of the disk that builds, proofs and deploys must leave free", least=0)


@dataclass(frozen=True)
class Deploy:
    """How a release goes live."""

    healthy_answers: int = key(3, "consecutive healthy answers before a release may serve", least=1)
    start_seconds: float = key(60.0, "seconds a service may take to become healthy", least=1)
    drain_seconds: float = key(30.0, "seconds in-flight requests may take to finish before a slot stops", least=0)
    assets_hours: float = key(24.0, "hours that hashed files of a release are served after it stopped serving", least=0)
    stop_seconds: float = key(10.0, "seconds between SIGTERM and SIGKILL", least=0.1)
    watch_seconds: float = key(30.0, "seconds a new release is watched while the old one stays warm", least=0)
    canary_steps: list[float] = key([], "shares of the visitors, in percent, that meet a release first, one after the "
                                        "other; empty: all at once", least=0.1, most=99)
    canary_seconds: float = key(300.0, "seconds all steps of the canary may take", least=1)
    inconclusive: str = key("abort", "what becomes of a canary without a verdict at its end: abort or promote")
    lease_seconds: float = key(10.0, "seconds after which an unattended watch goes back to the old release", least=2)
    error_percent: float = key(1.0, "percentage of 5xx answers that is no reason to roll back, whatever was before",
                               least=0.1, most=50)
    migration_lock_ms: float = key(250.0, "longest time a migration may lock the database, measured on a clone",
                                   least=1)
    migration_seconds: float = key(300.0, "seconds after which a migration is ended and undone", least=1)


@dataclass(frozen=True)
class Health:
    """What healthy means."""

    latency_budget_ms: float = key(300.0, "an answer within this time costs no points", least=1)
    timeout_seconds: float = key(5.0, "an answer later than this counts as none", least=0.1)


@dataclass(frozen=True)
class Proof:
    """How a candidate is proven."""

    tests_seconds: float = key(600.0, "seconds the repository's tests may take", least=1)
    build_seconds: float = key(600.0, "seconds a build may take", least=1)
    pairs: int = key(30, "interleaved pairs for a comparison of speed", least=10)
    mutants: int = key(12, "small mistakes that are tried in the changed lines, to see whether the proof notices them",
                       least=4, most=100)
    mutation_seconds: float = key(120.0, "seconds that trying them may take", least=5)
    nice: int = key(19, "how nice what proofs run is: 19 takes only processor time that nobody else wants, on half of "
                        "the processors; less is quicker, where nobody waits", least=1, most=19)
    protected: list[str] = key([], "further paths (globs) that no candidate may change")


@dataclass(frozen=True)
class Rejections:
    """How long a no is remembered. Whatever stands here, an idea comes back when its impact is 1.5 times as large; one
    that was a false alarm comes back by nothing else."""

    days: float = key(90.0, "days after which what was rejected may be proposed once more; 0: never", least=0,
                      most=36500)
    not_now_days: float = key(14.0, "the same for what was rejected because of not-now", least=0, most=36500)


@dataclass(frozen=True)
class Recorder:
    """Which requests of visitors are noted, redacted, to be replayed when a candidate is proven. A request whose body
    is longer than 64 KB, or is neither JSON nor a form, never is."""

    reads_percent: float = key(10.0, "share of the reads (GET, HEAD) that is recorded; 0: none", least=0, most=100)
    writes_percent: float = key(100.0, "share of the writes that is recorded; 0: none", least=0, most=100)
    examples: int = key(3, "requests of one shape that are kept, the latest", least=1, most=100)
    hours: float = key(48.0, "hours that a recorded request is kept", least=0.1)
    megabytes: float = key(20.0, "megabytes of recorded requests; beyond that the oldest go", least=0.1)
    replayed: int = key(200, "requests that one proof replays at most", least=1, most=5000)
    seconds: float = key(15.0, "seconds that one replay of them may take", least=1)


@dataclass(frozen=True)
class EnvFiles:
    """Files with KEY=value lines, mode 0600, outside the repository."""

    live: str = key("", "file for the live services")
    dev: str = key("", "file for the development copy and for proofs")


@dataclass(frozen=True)
class Service:
    """One service of the app. In lists of words, {port}, {data}, {folder}, {dependencies}, {python},
    {NAME.port} (another service of the same release) and {NAME.live_port} are filled in."""

    folder: str = key(".", "where the service stands in the repository; its working directory")
    sources: list[str] = key([], "paths that go into the release; empty: the folder")
    runtime: str = key("", "python, node or empty: who installs the dependencies")
    interpreter: str = key("python3", "the interpreter that makes the app's virtual environment (runtime python)")
    lock_files: list[str] = key([], "files, in the folder, whose content names the dependencies")
    install: Argv = key([], "installs the dependencies; cached by the content of the lock files. {installer} is a "
                              "program that installs what pyproject.toml or a Pipfile asks for, without the project")
    build: Argv = key([], "builds the service in its folder")
    artifact: str = key("", "the folder that the build makes and a release keeps; empty: everything")
    start: Argv = key([], "starts the service on 127.0.0.1:{port}")
    env: dict[str, str] = key({}, "environment of the service")
    writable: list[str] = key([], "folders besides {data} and temporary ones that the live service may write")
    dev_env: dict[str, str] = key({}, "on top of it, on the development copy and in proofs")
    test_env: dict[str, str] = key({}, "on top of it, for the service's own tests (they do not get dev_env)")
    assets: dict[str, str] = key({}, "public path to folder of the release, for files that are named by their content: "
                                     "a page loaded before a deploy still gets them")
    live_port: int = key(0, "public port of the live service", least=1, most=65535)
    dev_port: int = key(0, "public port of the development copy", least=1, most=65535)
    health: str = key("/", "path that answers 200 while the service lives")
    ready: str = key("", "path that answers 200 when the database can be written")
    smoke: list[str] = key([], "paths that must answer 2xx or 3xx before a release may serve")
    openapi: str = key("", "path of the OpenAPI document; empty: none")
    databases: list[str] = key([], "SQLite files below {data}")
    migrate: Argv = key([], "brings the databases below {data} up to the release; safe to repeat")
    migrations: str = key("", "folder of numbered SQL migrations, in the folder")
    populate: Argv = key([], "run once, after the first start of live with an empty {data}")
    journeys: list[str] = key([], "requests for the proof of the way back, as 'METHOD /path JSON', for what the "
                                  "OpenAPI document does not tell")
    test: Argv = key([], "runs the service's tests and writes JUnit XML to {report}")
    tests: str = key("", "where the tests stand, in the folder; taken from the live commit in a proof")
    empty_searches: str = key("", "path that answers [{query, count}] of searches without a result")
    search: str = key("", "path of the search, with {query}; for findings about empty searches")


@dataclass(frozen=True)
class Config:
    """config.toml, read and checked."""

    name: str = key("app", "name of the app, in the state folder and on cards")
    state: str = key("", "state folder; empty: $XDG_STATE_HOME/aiimprove/<name>-<hash of the path>")
    logs: str = key("", "folder of the logs; empty: logs/ in the state folder")
    host: str = key("127.0.0.1", "address that the public ports listen on")
    origins: list[str] = key([], "origins of the live site that may approve; empty: localhost and host on its port")
    approvals: str = key("", "service whose pages hold the button (/api/ai-*); empty: none")
    metrics_port: int = key(0, "port of this machine (127.0.0.1) for metrics in OpenMetrics format; 0: none", least=0,
                            most=65535)
    digest: list[str] = key([], "program that gets on its standard input what the last day came to, once a day and "
                                "only when there is something to say, such as mail -s aiimprove NAME; empty: none")
    author: str = key("recipes", "who writes candidates")
    detectors: list[str] = key([], "detectors that look; empty: all")
    intervals: Intervals = field(default_factory=Intervals)
    limits: Limits = field(default_factory=Limits)
    deploy: Deploy = field(default_factory=Deploy)
    health: Health = field(default_factory=Health)
    proof: Proof = field(default_factory=Proof)
    rejections: Rejections = field(default_factory=Rejections)
    recorder: Recorder = field(default_factory=Recorder)
    env_file: EnvFiles = field(default_factory=EnvFiles)
    services: Mapping[str, Service] = field(default_factory=dict)

    repository: Path = field(default=Path(), metadata={"derived": True})
    state_folder: Path = field(default=Path(), metadata={"derived": True})
    logs_folder: Path = field(default=Path(), metadata={"derived": True})
