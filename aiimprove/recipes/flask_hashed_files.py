"""Files with a hash in their names, kept by browsers for a year: of Flask's own folders of static files."""

from __future__ import annotations

from pathlib import Path

from aiimprove.finding import Finding
from aiimprove.hashed import HASHED
from aiimprove.recipes import Declined, Draft, Patch, Unsure, written
from aiimprove.recipes.apps import FLASK, after_made, free_name, made_in, refuse
from aiimprove.recipes.clients import NO_TEST
from aiimprove.recipes.hashed_files import CLAIM, CONSTANT, KEPT, kept_test
from aiimprove.recipes.imports import with_module, with_name
from aiimprove.recipes.sources import python_sources, service_of
from aiimprove.settings import Config

_NAME = "keep_hashed_files"


class FlaskHashedFiles:
    """After a request for a static file of the app or of a blueprint. `SEND_FILE_MAX_AGE_DEFAULT` would keep the others
    too, whose content may change under the same name; where it is set the app has decided."""

    name = "flask_hashed_files"
    causes = ("hashed-not-kept",)

    def write(self, finding: Finding, tree: Path, config: Config) -> Draft | Declined:
        return written(_plan, finding, tree, config)


def _plan(finding: Finding, tree: Path, config: Config) -> Patch:
    service = service_of(finding, config)
    sources = python_sources(tree, service)
    made = made_in(sources, service, FLASK)
    refuse(sources, ("immutable", "whitenoise", "SEND_FILE_MAX_AGE", "get_send_file_max_age"),
           "the app keeps files already")
    if finding.details["cache_control"] not in ("", "no-cache"):
        raise Unsure("the app says itself for how long its files are kept")
    name, constant = free_name(made.source, _NAME), free_name(made.source, CONSTANT)
    source, response = with_name(made.source, "flask", "Response")
    source, request = with_name(source, "flask", "request")
    source = with_module(source, "re")
    changed = after_made(made, [f"{made.name}.after_request({name})"], source, [
        f'{constant} = re.compile(r"{HASHED}")', "", "",
        f"def {name}(response: {response}) -> {response}:",
        '    """Lets browsers keep files whose names change with what is in them."""',
        f'    static = ({request}.endpoint or "").endswith("static")',
        f"    if static and response.status_code == 200 and {constant}.search({request}.path):",
        f'        response.headers["Cache-Control"] = "{KEPT}"',
        "    return response"])
    test = kept_test(tree, service, finding, asgi=False)
    return Patch(f"{CLAIM}{'' if test else NO_TEST}", {changed.path: changed.text} | test)
