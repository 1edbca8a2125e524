"""Who may answer, and who may not: the development copy, other origins, wrong tokens, crowds, the app itself."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from candidates import improvement, opened

from aiimprove.improvement import Improvement, Status
from aiimprove.way_back import serving_slot

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from bench.site import Site

pytestmark = pytest.mark.site
CLICKS = 1000
PATHS = ("/api/ai-approve", "//api/ai-approve", "/api/%61i-approve", "/API/ai-approve", "/api/./ai-approve",
         "/api/ai-status", "/api/ai-reject", "/api/ai-login", "/x/../api/ai-approve")
FROM_A_PAGE = """
async ([address, mode, body]) => {
  try {
    const type = mode === "no-cors" ? "text/plain" : "application/json";
    const answer = await fetch(address, {method: "POST", mode, credentials: "include",
                                         headers: {"Content-Type": type}, body: JSON.stringify(body)});
    return [answer.type, answer.status];
  } catch (error) {
    return ["failed", 0];
  }
}
"""
INSIDE = """
import json, os, pathlib, subprocess, sys
state, name, digest, token = sys.argv[1:]
said = {}

def tried(what, do):
    try:
        said[what] = do()
    except OSError as error:
        said[what] = type(error).__name__

def called(*words, stdin=""):
    done = subprocess.run([os.environ.get("AIIMPROVE_BIN", "aiimprove"), *words], input=stdin, text=True,
                          capture_output=True, cwd=os.environ.get("AIIMPROVE_REPOSITORY", "/"))
    return json.loads(done.stdout)["errors"][0]["code"]

tried("list", lambda: os.listdir(state))
tried("read", lambda: len(pathlib.Path(state, "state.db").read_bytes()))
tried("write", lambda: pathlib.Path(state, "state.db").open("r+b").close())
tried("add", lambda: pathlib.Path(state, "run", "door", "mine").write_text("x"))
tried("switch", lambda: pathlib.Path(state, "run", "gateway", "live").unlink())
if sys.stdin.readline().strip() == "door":
    answer = ("approve", name, "--digest", digest, "--json")
    tried("no token", lambda: called(*answer))
    tried("wrong token", lambda: called(*answer, "--token-stdin", stdin=token))
    tried("deploy", lambda: called("deploy", name, "--json", "--token-stdin", stdin=token))
    tried("add operator", lambda: called("operator", "add", "me", "--json"))
    tried("status", lambda: called("status", "--json"))
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def waiting(site: Site) -> Iterator[Improvement]:
    made = improvement(site, "may-i", Status.AWAITING_APPROVAL)
    site.must("preview")
    yield made
    site.must("reject", made.id, "--digest", made.digest, "--reason", "the test is over", token=True)


@pytest.fixture
def unanswered(site: Site, waiting: Improvement) -> Iterator[None]:
    """Nothing that is refused changes anything."""
    yield
    assert site.improvement(waiting.id)["status"] == "AWAITING_APPROVAL"


def posted(site: Site, waiting: Improvement, path: str = "/api/ai-approve", environment: str = "live",
           send: Callable[..., httpx.Response] = httpx.post, **changes: str | None) -> httpx.Response:
    """What an operator's browser would send, but for the changes (None: left out)."""
    wanted: dict[str, str | None] = {"Origin": site.url("frontend"), "Content-Type": "application/json",
                                     "Cookie": f"aiimprove_operator={site.token}"}
    headers = {name: value for name, value in (wanted | changes).items() if value is not None}
    body = json.dumps({"id": waiting.id, "digest": waiting.digest, "reason": "no"})
    return send(site.url("frontend", environment) + path, content=body, headers=headers, timeout=60)


def code(answer: httpx.Response) -> str:
    return str(answer.json()["errors"][0]["code"])


@pytest.mark.usefixtures("unanswered")
def test_the_development_copy_has_no_way_to_approve(site: Site, waiting: Improvement) -> None:
    for path in PATHS:
        for origin in (site.url("frontend"), site.url("frontend", "dev")):
            answer = posted(site, waiting, path, "dev", Origin=origin)
            assert answer.status_code == 404 and answer.headers.get("Set-Cookie") is None, path


@pytest.mark.usefixtures("unanswered")
def test_another_origin_is_refused(site: Site, waiting: Improvement) -> None:
    for origin in (site.url("frontend", "dev"), site.url("backend"), "http://evil.example", "null", None):
        answer = posted(site, waiting, Origin=origin)
        assert (answer.status_code, code(answer)) == (403, "wrong_origin"), origin


@pytest.mark.browser
@pytest.mark.usefixtures("unanswered")
def test_a_page_of_the_candidate_cannot_answer(site: Site, chromium: Browser, waiting: Improvement) -> None:
    """The cookie goes with its requests, since cookies know no ports; they are refused all the same."""
    context = chromium.new_context()
    context.add_cookies([{"name": "aiimprove_operator", "value": site.token, "url": site.url("frontend")}])
    page = context.new_page()
    page.goto(site.url("frontend", "dev"))
    seen: list[tuple[str, int]] = []
    page.on("response", lambda answer: seen.append((answer.url, answer.status)))
    body = {"id": waiting.id, "digest": waiting.digest}
    assert page.evaluate(FROM_A_PAGE, ["/api/ai-approve", "same-origin", body]) == ["basic", 404]
    live = site.url("frontend") + "/api/ai-approve"
    assert page.evaluate(FROM_A_PAGE, [live, "cors", body]) == ["failed", 0]
    assert page.evaluate(FROM_A_PAGE, [live, "no-cors", body]) == ["opaque", 0]
    assert (live, 403) in seen
    context.close()


@pytest.mark.usefixtures("unanswered")
def test_nobody_without_a_token_of_an_operator(site: Site, waiting: Improvement) -> None:
    nobody = posted(site, waiting, Cookie=None)
    assert (nobody.status_code, code(nobody)) == (401, "not_operator")
    for path in ("/api/ai-approve", "/api/ai-reject"):
        wrong = posted(site, waiting, path, Cookie="aiimprove_operator=aiop_made-up-made-up-made-up")
        assert (wrong.status_code, code(wrong)) == (409, "not_operator")
        assert "Max-Age=0" in wrong.headers["Set-Cookie"]
    bearer = posted(site, waiting, Cookie=None, Authorization=f"Bearer {site.token}")
    assert bearer.status_code == 401
    form = posted(site, waiting, **{"Content-Type": "application/x-www-form-urlencoded"})
    assert form.status_code == 415


@pytest.mark.parametrize("service", ["frontend", "backend"])
@pytest.mark.usefixtures("unanswered")
def test_a_process_of_the_app_sees_no_state_and_cannot_answer(site: Site, waiting: Improvement, service: str) -> None:
    with opened(site) as workspace:
        running = serving_slot(workspace)
        assert running is not None
        spec = running.kept()[service].spec()
    assert spec is not None
    said = ran_inside(spec, [str(site.state), waiting.id, waiting.digest, "aiop_made-up-made-up-made-up"],
                      "door" if service == "frontend" else "")
    denied = {"list": "PermissionError", "read": "PermissionError", "write": "PermissionError",
              "add": "PermissionError", "switch": "PermissionError"}
    through_the_door = {"no token": "not_allowed", "wrong token": "not_operator", "deploy": "not_allowed",
                        "add operator": "not_allowed", "status": "not_allowed"}
    assert said == (denied | through_the_door if service == "frontend" else denied)


def ran_inside(spec: dict[str, Any], words: Sequence[str], stdin: str) -> dict[str, Any]:
    """Our words in the place of the service's: the environment and the fence with which it was started."""
    fence = list(spec["argv"][:spec["argv"].index("--") + 1])
    assert "--hide" in fence
    done = subprocess.run([*fence, "/usr/bin/env", "python3", "-c", INSIDE, *words], env=spec["env"], cwd=spec["cwd"],
                          input=f"{stdin}\n", text=True, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_a_thousand_clicks_are_one_approval(site: Site, waiting: Improvement) -> None:
    with httpx.Client() as client, ThreadPoolExecutor(max_workers=16) as crowd:
        answers = list(crowd.map(lambda _: posted(site, waiting, send=client.post), range(CLICKS)))
    told = Counter(answer.status_code for answer in answers)
    assert told[200] > 0 and set(told) <= {200, 429}, told
    assert site.improvement(waiting.id)["status"] == "APPROVED"
    events = [event["name"] for event in site.improvement(waiting.id)["events"]]
    assert events.count("improvement.approved") == 1
