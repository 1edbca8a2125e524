"""Who turns a finding into a patch. An author proposes; it never judges, and never writes outside its tree."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from aiimprove.authors.recipes import Recipes
from aiimprove.finding import Finding
from aiimprove.recipes import Declined, Draft
from aiimprove.settings import Config

__all__ = ["AUTHORS", "Author", "Declined", "Draft", "can_write"]


class Author(Protocol):
    """Writes the patch for a finding into `tree`, or says why it does not."""

    name: str

    def write(self, finding: Finding, tree: Path, config: Config) -> Draft | Declined: ...

    def can_write(self, finding: Finding) -> bool:
        """Whether it is worth asking; decided from the finding alone."""
        ...


AUTHORS: Mapping[str, Author] = {"recipes": Recipes()}


def can_write(author: str, finding: Finding) -> bool:
    """Whether the named author might write this finding; False for an unknown author."""
    return author in AUTHORS and AUTHORS[author].can_write(finding)
