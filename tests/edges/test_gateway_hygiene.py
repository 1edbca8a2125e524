"""Only live's approval routes, written as our own pages write them, ever see an operator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from traffic_site import Site, ask, raw, site

from aiimprove.gateway import Generation
from aiimprove.release import Environment

LIVE, DEV = Environment.LIVE, Environment.DEV
OPERATOR = "aiimprove_operator=secret"
DOORS = [("backend", LIVE), ("frontend", LIVE), ("backend", DEV), ("frontend", DEV)]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("hygiene")) as here:
        stable = here.live("one")
        here.gateway.switch(LIVE, stable.with_canary("candidate", here.release("candidate"), 500))
        here.gateway.switch(DEV, Generation(release="dev", stable=here.release("dev")))
        yield here


@pytest.mark.parametrize("sent, left", [
    (f"{OPERATOR}; a=1; b=2", "a=1; b=2"), (f"a=1; {OPERATOR}; b=2", "a=1; b=2"), (f"a=1; b=2; {OPERATOR}", "a=1; b=2"),
    (f"a=1;{OPERATOR};b=2", "a=1;b=2"), (OPERATOR, None), (f"{OPERATOR}; {OPERATOR}", None), ("a=1; b=2", "a=1; b=2"),
    (f"a=1; AIImprove_Operator=secret; {OPERATOR}", "a=1"), ("aiimprove_operator =secret; a=1", "a=1"),
    ("aiimprove_operator2=mine; xaiimprove_operator=mine", "aiimprove_operator2=mine; xaiimprove_operator=mine"),
    ('a="x; y"; session=q.w==', 'a="x; y"; session=q.w=='), (None, None),
])
@pytest.mark.parametrize("service, environment", DOORS)
def test_the_operators_cookie_is_taken_out_and_others_stay(
        here: Site, service: str, environment: Environment, sent: str | None, left: str | None) -> None:
    said = ask(here.public(service, environment), "/page", headers={"Cookie": sent} if sent else {})
    assert said.received("Cookie") == ([left] if left else [])


def test_every_cookie_line_is_cleaned(here: Site) -> None:
    got = raw(here.public("backend"), f"GET /page HTTP/1.1\nHost: x\nConnection: close\nCookie: {OPERATOR}\n"
                                      f"Cookie: a=1; {OPERATOR}\n\n")
    assert "a=1" in got and "secret" not in got


@pytest.mark.parametrize("service, environment", DOORS)
@pytest.mark.parametrize("sent, passes", [
    ("Bearer aiop_secret", False), ("bearer   aiop_secret", False), ("BEARER AIOP_secret", False),
    ("Bearer mine", True), ("Basic YWlvcF86eA==", True), ("Token aiop", True),
])
def test_an_operators_token_is_taken_out_and_the_apps_own_stays(
        here: Site, service: str, environment: Environment, sent: str, passes: bool) -> None:
    said = ask(here.public(service, environment), "/page", headers={"Authorization": sent})
    assert said.received("Authorization") == ([sent] if passes else [])


@pytest.mark.parametrize("path", ["/api/ai-status", "/api/ai-approve?x=1", "/api/ai-login"])
def test_lives_approval_routes_see_the_operator_and_only_on_the_stable_release(here: Site, path: str) -> None:
    for _ in range(8):
        said = ask(here.public("frontend"), path, headers={
            "Cookie": f"a=1; {OPERATOR}; aiimprove_lane=candidate.candidate", "Authorization": "Bearer aiop_secret"})
        assert said.release == "one" and OPERATOR in said.received("Cookie")[0]
        assert said.received("Authorization") == ["Bearer aiop_secret"]


FORMS = ["/API/ai-status", "//api/ai-status", "/api//ai-status", "/api/./ai-status", "/api/x/../ai-status",
         "/%61pi/ai-status", "/api/%61i-status", "/api%2fai-status", "/api%2Fai-status", "/api/ai%2dstatus",
         "/x/../api/ai-status", "/x/%2e%2e/api/ai-status", "/%2561pi/ai-status", "/api%252fai-status",
         "/api/%252e/ai-status", "/api\\ai-status", "/api%5cai-status", "/api;a=b/ai-status",
         "/a/api/ai-status", "/api/x/%252e%252e/ai-status", "/api/ai-%73tatus", "http://x/api/ai-status",
         "/./api/Ai-StatuS/", "/api/ai-approve/../ai-x"]


@pytest.mark.parametrize("form", FORMS)
def test_other_forms_of_the_path_lose_the_operator_on_live_and_find_nothing_on_dev(here: Site, form: str) -> None:
    request = f"GET {form} HTTP/1.1\nHost: x\nConnection: close\nCookie: {OPERATOR}\nAuthorization: Bearer aiop_t\n\n"
    for service in ("backend", "frontend"):
        live = raw(here.public(service), request)
        assert live.startswith("HTTP/1.1 200") and "secret" not in live and "aiop_t" not in live
        dev = raw(here.public(service, DEV), request)
        assert dev.startswith("HTTP/1.1 404") and "nothing to approve" in dev


@pytest.mark.parametrize("path", ["/api/ai-status", "/api/ai-approve", "/api/ai-", "/api/ai-reject?id=x"])
def test_development_has_no_approval_routes(here: Site, path: str) -> None:
    for method in ("GET", "POST"):
        assert ask(here.public("frontend", DEV), path, method, "x").status == 404


@pytest.mark.parametrize("path", ["/api/videos", "/api/aitools", "/api/videos/ai-cats", "/ai-news", "/api/ai/x",
                                  "/search?q=/api/ai-"])
def test_development_serves_what_only_looks_a_little_like_it(here: Site, path: str) -> None:
    assert ask(here.public("backend", DEV), path).release == "dev"


def test_other_live_services_have_no_privilege(here: Site) -> None:
    said = ask(here.public("backend"), "/api/ai-status", headers={"Cookie": f"{OPERATOR}; a=1"})
    assert said.received("Cookie") == ["a=1"]


@pytest.mark.parametrize("service, environment", DOORS)
def test_nobody_else_sets_an_operators_cookie(here: Site, service: str, environment: Environment) -> None:
    said = ask(here.public(service, environment), "/cookies")
    kept = [each for each in said.values("Set-Cookie") if each and not each.startswith("aiimprove_lane=")]
    assert kept == ["a=1; Path=/", "b=2"]
