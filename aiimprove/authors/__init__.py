"""Who turns a finding into a patch. An author proposes; it never judges, and never writes outside its tree."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Protocol

from aiimprove.authors.recipes import Recipes
from aiimprove.finding import Finding
from aiimprove.recipes import Declined, Draft
from aiimprove.settings import Config

__all__ = ["AUTHORS", "Author", "Declined", "Draft", "can_write"]


class Author(Protocol):
    """Writes the patch for a finding into `tree`, or says why it does not.

    `without` names the approaches that a human has rejected for it: the author's own name rejects all of them.
    """

    name: str

    def write(self, finding: Finding, tree: Path, config: Config,
              without: Collection[str] = ()) -> Draft | Declined: ...

    def can_write(self, finding: Finding, without: Collection[str] = ()) -> bool:
        """Whether it is worth asking; decided from the finding alone."""
        ...


AUTHORS: Mapping[str, Author] = {"recipes": Recipes()}


def can_write(author: str, finding: Finding, without: Collection[str] = ()) -> bool:
    """Whether the named author might write this finding by an approach that is not in `without`; False for an unknown
    author."""
    return author in AUTHORS and AUTHORS[author].can_write(finding, without)
