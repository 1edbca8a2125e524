"""The author that needs no key and no network: rules that fix a known cause, or decline."""

from __future__ import annotations

from pathlib import Path

from aiimprove.finding import Finding
from aiimprove.recipes import RECIPES, Declined, Draft, for_cause
from aiimprove.settings import Config


class Recipes:
    """Tries the recipes of a finding's cause, one after the other."""

    name = "recipes"

    def can_write(self, finding: Finding) -> bool:
        reproducible = finding.probe.kind != "none"
        return reproducible and any(finding.cause in causes for _, causes in RECIPES.values())

    def write(self, finding: Finding, tree: Path, config: Config) -> Draft | Declined:
        reasons = []
        for recipe in for_cause(finding.cause):
            result = recipe.write(finding, tree, config)
            if isinstance(result, Draft):
                return result
            reasons.append(result.reason)
        return Declined("; ".join(filter(None, reasons)) or f"no recipe writes {finding.cause}")
