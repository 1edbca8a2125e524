"""Patches that are written by rule: offline, in this process, and only where the rule is sure.

A recipe is a module below this package, named in RECIPES and imported when its cause comes up.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from aiimprove.errors import AiimproveError
from aiimprove.finding import Finding
from aiimprove.settings import Config


@dataclass(frozen=True)
class Draft:
    """A patch that was written into the tree: what its author claims, the files it touched, and by which recipe."""

    claim: str
    files: tuple[str, ...]
    approach: str = ""


@dataclass(frozen=True)
class Declined:
    """No patch, and why, in a sentence. The tree is as it was."""

    reason: str


class Unsure(AiimproveError):
    """A recipe cannot be sure that its patch would be right; says why."""

    code = "unsure"


class Elsewhere(Unsure):
    """The recipe is about another kind of program; says so to nobody."""


@dataclass(frozen=True)
class Patch:
    """The new text of each file that changes, by its path in the tree."""

    claim: str
    files: Mapping[str, str]


class Recipe(Protocol):
    """Fixes the causes it names. Edits files below `tree` only, all of them or none."""

    name: str
    causes: tuple[str, ...]

    def write(self, finding: Finding, tree: Path, config: Config) -> Draft | Declined: ...


RECIPES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "integer_bounds": ("IntegerBounds", ("integer-out-of-range",)),
    "integer_guard": ("IntegerGuard", ("integer-out-of-range",)),
    "lookup_404": ("Lookup404", ("missing-lookup",)),
    "absent_404": ("Absent404", ("missing-lookup",)),
    "guard_parsing": ("GuardParsing", ("bad-value",)),
    "null_in_body": ("NullInBody", ("null-in-body",)),
    "bound_parameters": ("BoundParameters", ("sql-injection",)),
    "outgoing_timeout": ("OutgoingTimeout", ("no-timeout",)),
    "gzip": ("Gzip", ("no-compression",)),
    "django_gzip": ("DjangoGzip", ("no-compression",)),
    "named_packages": ("NamedPackages", ("no-compression",)),
    "hashed_files": ("HashedFiles", ("hashed-not-kept",)),
    "flask_hashed_files": ("FlaskHashedFiles", ("hashed-not-kept",)),
    "express_hashed_files": ("ExpressHashedFiles", ("hashed-not-kept",)),
    "page_lang": ("PageLang", ("no-page-language",)),
    "security_headers": ("SecurityHeaders", ("missing-security-headers",)),
    "flask_headers": ("FlaskHeaders", ("missing-security-headers",)),
    "django_headers": ("DjangoHeaders", ("missing-security-headers",)),
    "express_headers": ("ExpressHeaders", ("missing-security-headers",)),
    "next_headers": ("NextHeaders", ("missing-security-headers",)),
    "cookie_flags": ("CookieFlags", ("unsafe-cookie",)),
    "flask_cookie": ("FlaskCookie", ("unsafe-cookie",)),
    "eager_loading": ("EagerLoading", ("repeated-statements",)),
    "plain_def": ("PlainDef", ("blocked-event-loop",)),
    "django_index": ("DjangoIndex", ("missing-index",)),
    "index_migration": ("IndexMigration", ("missing-index",)),
}
"""Module → class and causes; the causes stand here so that nothing is imported to know them."""


def for_cause(cause: str) -> Iterator[Recipe]:
    """The recipes that fix a cause."""
    for module, (name, causes) in RECIPES.items():
        if cause in causes:
            recipe: Recipe = getattr(importlib.import_module(f"aiimprove.recipes.{module}"), name)()
            yield recipe


def written(plan: Callable[[Finding, Path, Config], Patch], finding: Finding, tree: Path,
            config: Config) -> Draft | Declined:
    """Writes what `plan` gives into the tree; Declined when it is Unsure, without a reason when it is Elsewhere."""
    try:
        patch = plan(finding, tree, config)
    except Elsewhere:
        return Declined("")
    except Unsure as unsure:
        return Declined(str(unsure))
    crlf = any("\r\n" in text for text in patch.files.values())
    for path, text in patch.files.items():
        file = tree / path
        if crlf and not file.exists():
            text = text.replace("\n", "\r\n")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="")
    return Draft(patch.claim, tuple(sorted(patch.files)))
