"""Security headers of an Express app: a middleware of a few lines, in front of every other."""

from __future__ import annotations

from pathlib import Path

from aiimprove.finding import Finding
from aiimprove.recipes import Declined, Draft, Patch, Unsure, written
from aiimprove.recipes.clients import NO_TEST
from aiimprove.recipes.express import made_in, new_test
from aiimprove.recipes.security_headers import wanted
from aiimprove.recipes.sources import service_of
from aiimprove.settings import Config


class ExpressHeaders:
    """Sets the headers right after `express()`, before anything answers, so that whoever sets one later is heard."""

    name = "express_headers"
    causes = ("missing-security-headers",)

    def write(self, finding: Finding, tree: Path, config: Config) -> Draft | Declined:
        return written(_plan, finding, tree, config)


def _plan(finding: Finding, tree: Path, config: Config) -> Patch:
    service = service_of(finding, config)
    made, missing = made_in(tree, service), wanted(finding)
    if "helmet" in made.package or "helmet" in made.text:
        raise Unsure("helmet, which sends security headers, is there already")
    changed = made.with_lines([
        "", f"{made.name}.use((_request, response, next) => {{",
        *(f'  response.setHeader("{name}", "{value}");' for name, value in missing.items()),
        "  next();", "});"])
    test = new_test(tree, service, made, "security-headers", "every answer carries the security headers", [
        f'const answer = await fetch(`${{base}}{finding.details["path"]}`, {{ redirect: "manual" }});',
        *(f'assert.strictEqual(answer.headers.get("{name}"), "{value}");' for name, value in missing.items())])
    return Patch(f"Every answer carries {', '.join(missing)}, unless the app sets it itself.{'' if test else NO_TEST}",
                 {made.path: changed} | test)
