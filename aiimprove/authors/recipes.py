"""The author that needs no key and no network: rules that fix a known cause, or decline."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from aiimprove.finding import Finding
from aiimprove.recipes import RECIPES, Declined, Draft, for_cause
from aiimprove.settings import Config


class Recipes:
    """Tries the recipes of a finding's cause, one after the other."""

    name = "recipes"

    def can_write(self, finding: Finding, without: Collection[str] = ()) -> bool:
        reproducible = finding.probe.kind != "none" and self.name not in without
        return reproducible and any(finding.cause in causes and name not in without
                                    for name, (_, causes) in RECIPES.items())

    def write(self, finding: Finding, tree: Path, config: Config, without: Collection[str] = ()) -> Draft | Declined:
        reasons = []
        for recipe in for_cause(finding.cause):
            if {self.name, recipe.name} & set(without):
                reasons.append(f"the approach {recipe.name} was rejected")
                continue
            result = recipe.write(finding, tree, config)
            if isinstance(result, Draft):
                return replace(result, approach=recipe.name)
            reasons.append(result.reason)
        return Declined("; ".join(filter(None, reasons)) or f"no recipe writes {finding.cause}")
