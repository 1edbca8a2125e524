"""The language of the pages, said in the html element of the templates that lack it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from aiimprove.finding import Finding
from aiimprove.recipes import Declined, Draft, Patch, Unsure, written
from aiimprove.recipes.clients import new_test
from aiimprove.recipes.django_tests import new_case
from aiimprove.recipes.sources import service_of
from aiimprove.settings import Config, Service

_TEMPLATES = frozenset({".html", ".htm", ".jinja", ".jinja2", ".j2", ".njk", ".ejs", ".hbs", ".tsx", ".jsx"})
_ASIDE = frozenset({"node_modules", "dist", "build", "out", "coverage", "htmlcov", "venv", "env", "site-packages",
                    "tests", "test", "__tests__", "docs", "emails", "email", "vendor"})
_TAG = re.compile(r"<(html|Html)(?=[\s>])")
_SPEAKS = re.compile(r"\{%\s*(?:load i18n|trans|translate|blocktrans)|\bgettext\(|\bi18n\b|next-intl|useTranslation")
_NAME = "pages_say_their_language"
MOST_FILES, MOST_BYTES = 12, 400_000


class PageLang:
    """In plain HTML, in templates, and in layouts of Next.js. Refuses where the language could not be told, and where
    the app speaks several."""

    name = "page_lang"
    causes = ("no-page-language",)

    def write(self, finding: Finding, tree: Path, config: Config) -> Draft | Declined:
        return written(_plan, finding, tree, config)


def _plan(finding: Finding, tree: Path, config: Config) -> Patch:
    service, said = service_of(finding, config), str(finding.details["language"])
    if not said:
        raise Unsure("it is not known which language the pages are in")
    texts = dict(_templates(tree, service))
    if any(_SPEAKS.search(text) for text in texts.values()):
        raise Unsure("the pages may be in several languages")
    changed = {path: new for path, text in texts.items() if (new := _with_language(text, said)) != text}
    if not changed or len(changed) > MOST_FILES:
        raise Unsure(f"{len(changed) or 'no'} templates have an html element without a language")
    test = _test(tree, service, finding, said)
    return Patch(f"The pages say that they are in {said}.", changed | test)


def _templates(tree: Path, service: Service) -> Iterator[tuple[str, str]]:
    root = tree / service.folder
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        aside = any(part in _ASIDE or part.startswith(".") for part in parts[:-1])
        if path.suffix in _TEMPLATES and not aside and path.is_file() and not path.is_symlink() and (
                path.stat().st_size < MOST_BYTES):
            try:
                with path.open(encoding="utf-8", newline="") as file:
                    yield str(path.relative_to(tree)), file.read()
            except UnicodeDecodeError:
                continue


def _with_language(text: str, said: str) -> str:
    """The text with the language in each html element that has none."""
    pieces, start = [], 0
    for match in _TAG.finditer(text):
        rest = text[match.end():match.end() + 400].partition(">")[0]
        if not re.search(r"\blang\b", rest):
            pieces += [text[start:match.end()], f' lang="{said}"']
            start = match.end()
    return "".join([*pieces, text[start:]])


def _test(tree: Path, service: Service, finding: Finding, said: str) -> dict[str, str]:
    path = str(finding.details["paths"][0])
    if service.runtime != "python":
        return {}
    case = new_case(tree, service, _NAME, [
        f'page = self.client.get("{path}")', f"self.assertContains(page, 'lang=\"{said}\"')"])
    made = case or new_test(tree, service, _NAME, lambda client: [] if client.bare else [
        f'page = {client.name}.get("{path}")', f"assert 'lang=\"{said}\"' in page.text"])
    return {name: text for name, text in made.items() if "assert" in text}
