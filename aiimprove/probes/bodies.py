"""What the body of a request is."""

from __future__ import annotations


def content_type(body: bytes) -> str:
    """What a body is that comes without a word about it: the fields of a form (`a=1&b=2`), or JSON."""
    form = body[:1].isalpha() and b"=" in body
    return "application/x-www-form-urlencoded" if form else "application/json"
