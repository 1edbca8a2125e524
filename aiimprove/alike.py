"""Whether two answers say the same, but for what their requests said themselves."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Sequence
from urllib.parse import quote, quote_plus

from aiimprove.answer import Answer, cookies


def alike(one: Answer, other: Answer, said: Sequence[str]) -> bool:
    """The same status, content, address to go on to and cookies, once the texts of `said` are taken out of both."""
    return _told(one, said) == _told(other, said)


def _told(answer: Answer, said: Sequence[str]) -> tuple[object, ...]:
    content = answer.body.decode("utf-8", "replace")
    return (answer.status, _unsaid(content, said), _unsaid(answer.headers.get("location", ""), said),
            tuple(sorted(cookies(answer))))


def _unsaid(text: str, said: Sequence[str]) -> str:
    """A text without what was said in the request, in whatever way it is written: pages repeat what was looked for."""
    forms = {form for each in said for form in _forms(each)}
    pattern = "|".join(re.escape(form) for form in sorted(forms, key=lambda form: (-len(form), form)))
    return re.sub(pattern, "", text, flags=re.IGNORECASE) if pattern else text


def _forms(said: str) -> Iterator[str]:
    escaped = html.escape(said)
    plain = json.dumps(said)[1:-1]
    yield from (said, said.strip(), escaped, escaped.replace("&#x27;", "&#39;"), html.escape(said, quote=False),
                plain, plain.replace("'", "\\u0027"), quote(said, safe=""), quote(said), quote_plus(said))
