"""Pages that do not say which language they are in, and pictures without words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from aiimprove.answer import html_language
from aiimprove.detectors import Subject
from aiimprove.detectors.languages import language
from aiimprove.detectors.pages import pages, text
from aiimprove.detectors.visit import visit
from aiimprove.finding import LISTED, Finding, Json, Kind, Probe
from aiimprove.samples import Request

_PICTURE = re.compile(r"""<img\b(?:[^>"']|"[^"]*"|'[^']*')*>""", re.IGNORECASE)
_WORDED = re.compile(r"\balt\b|\baria-(?:label|labelledby|hidden)\b|role\s*=\s*[\"']?(?:presentation|none)",
                     re.IGNORECASE)
_SOURCE = re.compile(r"""\bsrc\s*=\s*["']([^"']*)""", re.IGNORECASE)


class PageLanguage:
    """One finding for a service with pages whose html element has no lang: a screen reader reads them in the accent of
    another language, and browsers offer to translate them. Images without alt are listed, without a probe: whether one
    only decorates, nobody but its author can say.
    """

    name = "page_language"

    def look(self, subject: Subject) -> Iterator[Finding]:
        for name in subject.copy.urls:
            with visit(subject, name) as each:
                seen = list(pages(each))
            mute = [path for path, answer in seen if html_language(answer) == ""]
            bare = sorted({(path, _named(tag)) for path, answer in seen for tag in _PICTURE.findall(text(answer))
                           if not _WORDED.search(tag)})
            if mute:
                yield _unsaid(name, mute, language([text(answer) for path, answer in seen if path in mute]))
            if bare:
                yield _unworded(name, bare)


def _named(tag: str) -> str:
    source = _SOURCE.search(tag)
    return source[1][:100] if source else ""


def _unsaid(name: str, mute: list[str], said: str) -> Finding:
    asked = [Request("GET", path).to_json() for path in mute]
    request: dict[str, Json] = {**asked[0], "also": asked[1:]} if len(asked) > 1 else asked[0]
    guessed = f"They seem to be in {said}." if said else "Which one it is cannot be told from so few words."
    probe = Probe("http", name, request, {"html_lang": said}) if said else Probe("none", name, {}, {})
    return Finding("page_language", Kind.BUG, "no-page-language", name,
                   f"Say which language the pages of {name} are in",
                   f"The html element of {', '.join(mute[:4])} has no lang, so that screen readers guess. {guessed}",
                   probe, 25.0 if said else 12.0, {"service": name, "paths": mute, "language": said} | (
                       {} if said else {LISTED: "the language cannot be told from so few words"}))


def _unworded(name: str, bare: list[tuple[str, str]]) -> Finding:
    shown = ", ".join(f"{source or 'an image'} on {path}" for path, source in bare[:4])
    return Finding("page_language", Kind.BUG, "images-without-alt", name, f"Give the images of {name} words, or none",
                   f"{len(bare)} images have no alt: {shown}. Screen readers read their addresses aloud. One that only "
                   "decorates wants an empty alt; which do, only a person can say.",
                   Probe("none", name, {}, {}), 10.0, {"service": name, "images": [list(each) for each in bare[:40]],
                                              LISTED: "which of them only decorate, a person has to say"})
