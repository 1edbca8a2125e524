"""What the gateway takes out of requests and answers, so that only the live approval routes ever see an operator."""

from __future__ import annotations

from aiimprove.finding import Json

OPERATOR_COOKIE = "aiimprove_operator"
OPERATOR_TOKEN = "aiop_"

Routes = list[dict[str, Json]]


def approval_routes() -> dict[str, Json]:
    """Matches the approval routes as our own pages write them, to the letter: only these may keep the cookie."""
    return {"expression": r"{http.request.orig_uri}.matches(r'^/api/ai-[a-z-]+(\?.*)?$')"}


def anything_like_approval() -> list[dict[str, Json]]:
    """Matches whatever a server might take for an approval route: encoded (also twice), doubled or turned slashes,
    other case, dots, parameters, detours through another folder."""
    slash = r"(?:[/\\]|%(?:25)*(?:2f|5c))+"
    dots = r"(?:\.|%(?:25)*2e){1,2}"
    parameters = r"(?:;|%(?:25)*3b)[^/\\?]*"
    between = rf"(?:{parameters})?{slash}(?:(?:{dots}|{parameters}|[^/\\?]*{slash}{dots}){slash})*"
    pattern = "(?i)^[^?]*" + slash + _encoded("api") + between + _encoded("ai-")
    written = "{http.request.orig_uri}.matches(r'" + pattern + "')"
    return [{"path": ["/api/ai-*", "*/api/ai-*"]}, {"expression": written}]


def _encoded(word: str) -> str:
    return "".join(_letter(each) for each in word)


def _letter(letter: str) -> str:
    codes = "|".join(sorted({f"{ord(letter.lower()):02x}", f"{ord(letter.upper()):02x}"}))
    return f"(?:{letter}|%(?:25)*(?:{codes}))"


def without_operator() -> Routes:
    """Routes that take an operator's cookie and token out of a request, and its cookie out of the answer; what the
    app itself sent stays as it is."""
    request = [
        {"search_regexp": rf"(?i)(^|;)\s*{OPERATOR_COOKIE}\s*=[^;]*", "replace": ""},
        {"search_regexp": r"^[;\s]+", "replace": ""},
    ]
    answer = [{"search_regexp": rf"(?i)^[\s=]*{OPERATOR_COOKIE}\s*=.*$", "replace": ""}]
    token = {"header_regexp": {"Authorization": {"pattern": rf"(?i)^\s*bearer\s+{OPERATOR_TOKEN}"}}}
    nothing_left = {"expression": r"{http.request.header.Cookie}.matches(r'^[,\s]*$')"}
    return [
        {"handle": [{"handler": "headers", "response": {"deferred": True, "replace": {"Set-Cookie": answer}}}]},
        {"match": [{"header": {"Cookie": ["*"]}}], "handle": [
            {"handler": "headers", "request": {"replace": {"Cookie": request}}},
            {"handler": "subroute", "routes": [
                {"match": [nothing_left], "handle": [{"handler": "headers", "request": {"delete": ["Cookie"]}}]}]}]},
        {"match": [token], "handle": [{"handler": "headers", "request": {"delete": ["Authorization"]}}]},
    ]
