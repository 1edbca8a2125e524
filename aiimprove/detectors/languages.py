"""The language of a text, told by its small words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

_SMALL: Mapping[str, frozenset[str]] = {name: frozenset(words.split()) for name, words in {
    "en": "the and of to in is that it for you with are this not be your by we from have an all can or our will",
    "de": "der die das und ist nicht ein eine zu den mit von auf für sich dem des im wir sie ich auch es werden oder",
    "fr": "le la les et est une des du que pour dans qui sur pas plus vous nous avec ce sont aux ou votre au être",
    "es": "el la los las y es una que para con por del se su como más pero sus este entre hay sin o sobre al",
    "it": "il la i e di che è per una con non sono del della si da le gli come anche più nel alla questo ma",
    "nl": "de het een en van is dat op te voor met niet zijn aan er om ook als bij of uit naar deze wij wordt",
    "pt": "o a os as e de que em um uma para com não por mais dos como mas ao das seu sua ou quando muito nos"}.items()}
LEAST_WORDS, LEAST_LEAD = 8, 2.0
_UNSEEN = re.compile(r"<(script|style|code|pre)\b.*?</\1>|<[^>]*>|&\w+;", re.IGNORECASE | re.DOTALL)


def language(pages: list[str]) -> str:
    """The language of some pages in HTML; empty unless one has twice as many small words as any other, and some."""
    said = Counter(re.findall(r"[^\W\d_]+", " ".join(_UNSEEN.sub(" ", page) for page in pages).lower()))
    counts = sorted(((sum(said[word] for word in words), name) for name, words in _SMALL.items()), reverse=True)
    (most, name), (next_most, _) = counts[0], counts[1]
    return name if most >= LEAST_WORDS and most >= LEAST_LEAD * next_most else ""
