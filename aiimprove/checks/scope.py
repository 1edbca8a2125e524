"""What a candidate may touch: few lines of the app's own code, and new tests. Nothing that judges or builds it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatch

from aiimprove.checks import sealing
from aiimprove.evidence import Check, Measurement, Verdict
from aiimprove.finding import Finding
from aiimprove.proving import Stand
from aiimprove.repository import Repository
from aiimprove.settings import Config
from aiimprove.tree import Change

NAME = "scope"
NEEDS_MIGRATION = frozenset({"missing-index"})
"""Causes whose fix is a migration."""

FORBIDDEN = {
    "how the app is tested and released": (
        ".github/*", ".gitlab*", ".ci/*", ".circleci/*", ".buildkite/*", ".travis.yml", ".drone.yml", "jenkinsfile",
        "azure-pipelines*", "bitbucket-pipelines.yml", "justfile", "makefile", "*/makefile", "dockerfile*",
        "*/dockerfile*"),
    "hooks": (".githooks/*", ".husky/*", "*/.husky/*", ".pre-commit-config.yaml", "*/sitecustomize.py",
              "sitecustomize.py", "*/usercustomize.py", "usercustomize.py", "*.pth"),
    "what git sees": (".git/*", "*/.git/*", "*.gitignore", "*.gitattributes", "*.gitmodules", "*.mailmap"),
    "aiimprove itself": ("config.toml", "*app/api/ai-*", "*lib/aiimprove*", "*components/aiapprovalbutton*"),
    "dependencies": (
        "*package.json", "*package-lock.json", "*yarn.lock", "*pnpm-lock.yaml", "*bun.lock*", "*.npmrc", "*.yarnrc*",
        "*requirements*.txt", "*requirements/*.txt", "*pyproject.toml", "*setup.py", "*setup.cfg", "*pipfile*",
        "*poetry.lock", "*uv.lock", "*.python-version", "*.nvmrc", "*pip.conf"),
    "instructions for agents": ("*agents.md", "*claude.md", "*gemini.md", "*.cursorrules", "*.cursor/*", "*.claude/*",
                                "*.aider*", "*copilot-instructions.md"),
    "how tests are run": ("*conftest.py", "*pytest.ini", "*tox.ini", "*.coveragerc", "*vitest.config.*",
                          "*vitest.setup.*", "*jest.config.*", "*playwright.config.*"),
}
ENGINE = ("aiimprove/*", "commands/*", "bench/*", "start_ai_system.sh", "ai_requirements.txt")
"""Forbidden too where the repository holds aiimprove itself."""


def run(stand: Stand) -> Check:
    case = stand.case
    return judge(case.repository, case.config, case.baseline.commit, case.candidate.commit, case.finding)


def judge(repository: Repository, config: Config, base: str, commit: str, finding: Finding | None) -> Check:
    """What a commit touches beyond `base`; nothing of it needs to be built for that."""
    changes = repository.changed(base, commit)
    said = list(objections(changes, config, finding, bool(repository.tree(base, "aiimprove/settings.py"))))
    code, tests = _lines(changes, config, False), _lines(changes, config, True)
    measured = (Measurement("files changed", None, len(changes)), Measurement("lines of code", None, code),
                Measurement("lines of tests", None, tests))
    if said:
        return Check(NAME, Verdict.FAILED, "; ".join(said), measured)
    return Check(NAME, Verdict.PASSED, f"{len(changes)} files, {code} lines of code, {tests} lines of tests",
                 measured)


def objections(changes: Sequence[Change], config: Config, finding: Finding | None,
               engine: bool = False) -> Iterator[str]:
    """Why these changes are more than a candidate may make, one sentence each."""
    if not changes:
        yield "nothing was changed"
    if len(changes) > config.limits.changed_files:
        yield f"{len(changes)} files are changed, {config.limits.changed_files} are allowed"
    for kind, tests in (("code", False), ("tests", True)):
        count = _lines(changes, config, tests)
        if count > config.limits.changed_lines:
            yield f"{count} lines of {kind} are changed, {config.limits.changed_lines} are allowed"
    for change in changes:
        yield from _modes(change)
        yield from _path(change, config)
        yield from _migration(change, config, finding)
        if engine and _matches(change.path, ENGINE):
            yield f"{change.path} belongs to aiimprove itself"


def is_test(path: str, config: Config) -> bool:
    """Whether it is sealed as a test, or stands where a service says that its tests are."""
    folders = [f"{service.folder}/{service.tests}/*" for service in config.services.values() if service.tests]
    return sealing.is_test(path) or _matches(path, [folder.removeprefix("./") for folder in folders])


def _lines(changes: Sequence[Change], config: Config, tests: bool) -> int:
    return sum(each.added + each.removed for each in changes if is_test(each.path, config) is tests)


def _modes(change: Change) -> Iterator[str]:
    if change.mode_after == "120000":
        yield f"{change.path} is a link"
    elif change.mode_after == "160000":
        yield f"{change.path} is a submodule"
    elif change.mode_after == "100755" and change.mode_before != "100755":
        yield f"{change.path} becomes executable"
    if change.binary:
        yield f"{change.path} is binary"


def _path(change: Change, config: Config) -> Iterator[str]:
    for what, patterns in FORBIDDEN.items():
        if _matches(change.path, patterns):
            yield f"{change.path} belongs to {what}"
    locks = [f"{service.folder}/{file}" for service in config.services.values() for file in service.lock_files]
    named = _matches(change.path, FORBIDDEN["dependencies"])
    if not named and change.path in [lock.removeprefix("./") for lock in locks]:
        yield f"{change.path} belongs to dependencies"
    if _matches(change.path, config.proof.protected):
        yield f"{change.path} is protected by the config"
    if is_test(change.path, config) and change.status != "A":
        yield f"{change.path} is a test that was there before"


def _migration(change: Change, config: Config, finding: Finding | None) -> Iterator[str]:
    folders = [f"{service.folder}/{service.migrations}/" for service in config.services.values() if service.migrations]
    if not any(change.path.startswith(folder.removeprefix("./")) for folder in folders):
        return
    if change.status != "A":
        yield f"{change.path} is a migration that was there before"
    elif finding is None or finding.cause not in NEEDS_MIGRATION:
        yield f"{change.path} is a migration, and what was found needs none"


def _matches(path: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch(path.lower(), pattern.lower()) for pattern in patterns)
