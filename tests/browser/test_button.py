"""The button in a real browser on the running site: who sees it, what it shows, and how it is used."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from bundled_site import visit
from candidates import improvement, opened

from aiimprove.improvement import Improvement, Status
from aiimprove.policy import REQUIRED

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from bench.site import Site

pytestmark = [pytest.mark.site, pytest.mark.browser]
_NUMBERS = itertools.count(1)
MARK = "window.localStorage.setItem('aiimprove.operator', '1')"


@pytest.fixture
def waiting(site: Site) -> Iterator[Improvement]:
    """One improvement waits for an answer, and is gone from the button afterwards."""
    made = improvement(site, f"asked-{next(_NUMBERS)}", Status.AWAITING_APPROVAL)
    yield made
    now = site.improvement(made.id)
    if now["status"] in ("AWAITING_APPROVAL", "APPROVED"):
        site.must("reject", made.id, "--digest", now["digest"], "--reason", "the test is over", token=True)


def of_operator(site: Site, chromium: Browser, **options: Any) -> Page:
    """A page of a browser that signed in before."""
    context = chromium.new_context(**options)
    context.add_cookies([{"name": "aiimprove_operator", "value": site.token, "url": site.url("frontend"),
                          "httpOnly": True, "sameSite": "Strict"}])
    context.add_init_script(MARK)
    page = context.new_page()
    page.goto(site.url("frontend"))
    return page


def the_button(page: Page) -> Any:
    """Once it names one improvement: for a moment a page may still know the one of the test before."""
    button = page.get_by_test_id("ai-button").filter(has_text="Improvement ready")
    button.wait_for()
    return button


def opened_panel(page: Page) -> Any:
    the_button(page).click()
    panel = page.get_by_test_id("ai-panel")
    panel.get_by_test_id("ai-diff").wait_for()
    return panel


def status_of(site: Site, name: str) -> str:
    return str(site.improvement(name)["status"])


def test_a_visitor_gets_no_button_no_data_and_no_hint(site: Site, chromium: Browser, waiting: Improvement) -> None:
    page = chromium.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for path in ("/", "/playlists", "/sources"):
        page.goto(site.url("frontend") + path, wait_until="networkidle")
        shown = page.content().lower()
        assert not [word for word in (waiting.id, waiting.title, "ai-button", "operator") if word.lower() in shown]
        assert page.get_by_test_id("ai-button").count() == 0
    assert len(asked) > 10 and not [url for url in asked if "/api/ai-" in url]
    assert page.evaluate("Object.keys(localStorage).length") == 0 and page.context.cookies() == []
    assert visit(site, "/api/ai-status", "frontend").status_code == 404
    assert visit(site, f"/api/ai-status?show={waiting.id}", "frontend").content == b""
    page.close()


def test_a_link_signs_one_browser_in_once(site: Site, chromium: Browser, waiting: Improvement) -> None:
    link = site.must("operator", "link", token=True)["url"]
    page = chromium.new_context().new_page()
    page.goto(link)
    page.get_by_test_id("ai-button").wait_for()
    assert "operator" not in page.url
    (cookie,) = [each for each in page.context.cookies() if each["name"] == "aiimprove_operator"]
    assert cookie["httpOnly"] and cookie["sameSite"] == "Strict" and cookie["value"] not in page.content()
    page.reload()
    page.get_by_test_id("ai-button").wait_for()
    page.context.close()

    for used in (link, f"{site.url('frontend')}/#operator=made-up-made-up-made-up"):
        page = chromium.new_context().new_page()
        page.goto(used)
        told = page.get_by_role("alert").filter(has_text="did not sign you in").inner_text()
        assert "aiimprove operator link" in told
        assert page.get_by_test_id("ai-button").count() == 0 and page.context.cookies() == []
        page.context.close()


def test_the_panel_shows_what_is_known_and_leads_to_dev(site: Site, chromium: Browser, waiting: Improvement) -> None:
    assert site.must("preview")["improvement"] == waiting.id
    page = of_operator(site, chromium)
    panel = opened_panel(page)
    told, card = panel.inner_text(), site.improvement(waiting.id)
    assert waiting.title in told and card["finding"]["summary"] in told
    assert f"+{waiting.id}" in panel.get_by_test_id("ai-diff").inner_text().replace("added: ", "")
    assert panel.get_by_test_id("ai-checks").locator("li").count() == len(card["checks"]) == len(REQUIRED)
    assert "What live will show" in told
    assert "What was not checked" in told and "everything" in told and "The system right now" in told
    with page.expect_popup() as opening:
        panel.get_by_test_id("ai-dev-link").click()
    dev = opening.value
    dev.wait_for_load_state()
    answer = dev.reload()
    assert answer is not None and answer.headers["x-aiimprove-dev"] == f"improvement {waiting.id}"
    assert visit(site, f"/demo/{waiting.id}.txt", environment="dev").text == waiting.id
    assert dev.get_by_test_id("ai-button").count() == 0
    page.context.close()


def test_a_rejection_needs_a_reason_and_keeps_it(site: Site, chromium: Browser, waiting: Improvement) -> None:
    page = of_operator(site, chromium)
    panel = opened_panel(page)
    page.wait_for_function("!document.querySelector('[data-testid=ai-approve]').disabled")
    assert panel.get_by_test_id("ai-reject").is_disabled()
    panel.get_by_test_id("ai-reason").fill("not while the sale lasts")
    panel.get_by_test_id("ai-reject").click()
    page.locator("[data-testid=ai-progress][data-step=rejected]").wait_for()
    page.get_by_test_id("ai-progress").filter(has_text="Comes back when its impact is 75").wait_for()
    card = site.improvement(waiting.id)
    assert (card["status"], card["reason"]) == ("REJECTED", "not while the sale lasts")
    assert card["events"][-1]["performer"] == "tester"
    assert page.get_by_test_id("ai-button").count() == 0
    page.context.close()


def test_what_changed_since_it_was_shown_is_refused_in_words(site: Site, chromium: Browser,
                                                             waiting: Improvement) -> None:
    page = of_operator(site, chromium)
    panel = opened_panel(page)
    page.wait_for_function("!document.querySelector('[data-testid=ai-approve]').disabled")
    with opened(site) as workspace:
        workspace.store.save(waiting, waiting.note(digest="f" * 64), "tester")
    panel.get_by_test_id("ai-approve").click()
    told = panel.get_by_role("alert").inner_text()
    assert "is not what was shown" in told
    assert status_of(site, waiting.id) == "AWAITING_APPROVAL"
    page.context.close()


def test_the_keyboard_alone_is_enough(site: Site, chromium: Browser, waiting: Improvement) -> None:
    page = of_operator(site, chromium)
    button = the_button(page)
    for _ in range(200):
        page.keyboard.press("Tab")
        if button.evaluate("each => each === document.activeElement"):
            break
    page.keyboard.press("Enter")
    panel = page.get_by_test_id("ai-panel")
    panel.get_by_test_id("ai-diff").wait_for()
    page.wait_for_function("!document.querySelector('[data-testid=ai-approve]').disabled")
    assert reached_by_tab(page) >= {"ai-diff", "ai-dev-link", "ai-reason", "ai-approve"}
    page.keyboard.press("Escape")
    panel.wait_for(state="detached")
    assert button.evaluate("each => each === document.activeElement")
    assert status_of(site, waiting.id) == "AWAITING_APPROVAL"
    page.context.close()


def reached_by_tab(page: Page) -> set[str]:
    """Where Tab leads while the panel is open; never out of it."""
    reached = set()
    for _ in range(30):
        page.keyboard.press("Tab")
        inside, name = page.evaluate("[!!document.activeElement.closest('[data-testid=ai-panel]'),"
                                     " document.activeElement.dataset.testid ?? '']")
        assert inside
        reached.add(name)
    return reached


def test_it_fits_a_phone(site: Site, chromium: Browser, waiting: Improvement) -> None:
    page = of_operator(site, chromium, viewport={"width": 360, "height": 640}, has_touch=True, is_mobile=True)
    panel = opened_panel(page)
    box = panel.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 360
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    approve = panel.get_by_test_id("ai-approve")
    approve.scroll_into_view_if_needed()
    seen = approve.bounding_box()
    assert seen is not None and seen["y"] + seen["height"] <= 640 and seen["height"] >= 32
    page.wait_for_function("!document.querySelector('[data-testid=ai-approve]').disabled")
    approve.tap()
    page.get_by_test_id("ai-progress").wait_for()
    assert status_of(site, waiting.id) == "APPROVED"
    page.context.close()


def test_a_click_goes_live_by_itself_while_the_loop_runs(site: Site, chromium: Browser, waiting: Improvement) -> None:
    site.must("up")
    try:
        page = of_operator(site, chromium)
        opened_panel(page).get_by_test_id("ai-approve").click()
        page.locator("[data-testid=ai-progress][data-step=live]").wait_for(timeout=90_000)
        assert status_of(site, waiting.id) == "LIVE"
        assert visit(site, f"/demo/{waiting.id}.txt").text == waiting.id
        with opened(site) as workspace:
            known = workspace.store.fact("predictions") or {}
            miss = {"outcome": "missed", "why": "live shows 9000 bytes", "cause": "x", "author": "test"}
            workspace.store.set_fact("predictions", {**known, waiting.id: miss})
        told = page.get_by_test_id("ai-missed")
        told.filter(has_text="live shows 9000 bytes").wait_for()
        assert "aiimprove rollback" in told.inner_text() and told.get_by_role("button").count() == 0
        page.context.close()
    finally:
        site.stop_loop()
