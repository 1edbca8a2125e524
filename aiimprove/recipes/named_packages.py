"""What an app lacks and its framework does not bring: the package that would do it is named, and a human decides."""

from __future__ import annotations

import re
from pathlib import Path

from aiimprove.finding import Finding
from aiimprove.recipes import Declined, Draft, Elsewhere, Patch, Unsure, written
from aiimprove.recipes.sources import python_sources, service_of
from aiimprove.settings import Config


class NamedPackages:
    """Writes nothing: no recipe adds a dependency. Its sentence says what a human, or another author, would add."""

    name = "named_packages"
    causes = ("no-compression",)

    def write(self, finding: Finding, tree: Path, config: Config) -> Draft | Declined:
        return written(_plan, finding, tree, config)


def _plan(finding: Finding, tree: Path, config: Config) -> Patch:
    service = service_of(finding, config)
    package = tree / service.folder / "package.json"
    if package.is_file() and '"express"' in package.read_text("utf-8", "replace"):
        raise Unsure("Express compresses nothing by itself; the package compression would: app.use(compression()) in "
                     "front of the routes")
    if service.runtime != "node" and any(re.search(r"^(?:from|import) flask\b", source.text, re.MULTILINE)
                                         for source in python_sources(tree, service)):
        raise Unsure("Flask compresses nothing by itself; the package Flask-Compress would: Compress(app)")
    raise Elsewhere("no package is known for this framework")
