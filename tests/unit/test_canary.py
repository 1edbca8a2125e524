"""When a watched release goes back, when it is good, and when nobody knows yet; and that the bounds hold."""

from __future__ import annotations

import math
import random

import pytest

from aiimprove.canary import ERRORS, FIRST_GLANCE, MISSED, Ledger, Pace, Pair, Tally, counted, judge, route, set_aside
from aiimprove.canary.judgement import FALSE_ROLLBACK
from aiimprove.canary.sequential import NOTHING, hardly_more_errors, less_often, more_errors, more_often
from aiimprove.evidence import Verdict

TOLERATED = 0.01
PAGE, POST = "GET site/", "POST site/"


def _remembering(answers: int = 100, bad: int = 0) -> Ledger:
    ledger = Ledger()
    for number in range(answers):
        ledger.remember(PAGE, number < bad, 0.02)
    return ledger


def _verdict(ledger: Ledger, missed: float = MISSED) -> Verdict:
    return judge(ledger, 0, TOLERATED, missed).verdict


def test_nothing_is_known_of_a_release_that_nobody_met() -> None:
    judgement = judge(Ledger(), 0, TOLERATED)
    assert judgement.verdict is Verdict.INCONCLUSIVE and not judgement.failed
    assert counted(judgement, Ledger()).missing is None


def test_three_failed_probes_in_a_row_are_enough() -> None:
    assert judge(Ledger(), 2, TOLERATED).verdict is Verdict.INCONCLUSIVE
    found = judge(Ledger(), 3, TOLERATED)
    assert found.failed and found.why == "its health failed 3 times in a row"


def test_a_release_that_is_down_is_gone_after_three_bad_answers() -> None:
    ledger, verdicts = _remembering(), []
    for number in range(3):
        ledger.add(number * 0.1, True, PAGE, True, None)
        verdicts.append(_verdict(ledger))
    assert verdicts == [Verdict.INCONCLUSIVE] * 2 + [Verdict.FAILED]
    assert "3 of 3 answers were bad (beside it 0 of 0, before 0 of 100)" in judge(ledger, 0, TOLERATED).why


def test_what_stable_suffers_from_as_well_is_not_the_candidates_fault() -> None:
    ledger = _remembering(500)
    for number in range(40):
        ledger.add_pair(number * 0.1, PAGE, (True, True), None)
    assert not judge(ledger, 0, TOLERATED).failed


def _after_the_promotion() -> Ledger:
    """Visitors met the candidate for some seconds, each answer good; since then all of them fail."""
    ledger = _remembering(500)
    for number in range(100):
        ledger.remember(POST, False, 0.02)
        ledger.add(number * 0.01, True, POST, False, 0.02)
    ledger.begin_epoch(1.0, ERRORS)
    for number in range(10):
        ledger.add(1 + number * 0.01, True, POST, True, None)
    assert judge(ledger, 0, TOLERATED).on == "errors"
    return ledger


@pytest.mark.parametrize(("stable_bad", "aside"), [(0, False), (1, False), (2, True), (10, True)])
def test_errors_are_set_aside_while_stable_fails_as_well(stable_bad: int, aside: bool) -> None:
    ledger = _after_the_promotion()
    pairs = [Pair(PAGE, (False, number < stable_bad), (0.02, 0.02)) for number in range(20)]
    for pair in pairs:
        ledger.add_pair(1.2, PAGE, pair.bad, None)
    judgement = judge(ledger, 0, TOLERATED)
    assert judgement.on == "errors" and judgement.stratum == "writes", "no replay tells about writes"
    assert set_aside(ledger, judgement, pairs, 1.3, promoted=True, idle=False) is aside
    assert judge(ledger, 0, TOLERATED).failed is not aside
    for number in range(12):
        ledger.add(1.4 + number * 0.01, True, POST, True, None)
    assert judge(ledger, 0, TOLERATED).failed, "and a fault is found again"


@pytest.mark.parametrize(("now", "slow", "promoted", "idle", "aside"), [
    (1.5, 20, True, False, True), (1.5, 15, True, False, True), (1.5, 14, True, False, False),
    (1.0, 20, True, False, False), (1.5, 20, False, False, False), (1.5, 20, True, True, True),
    (1.2, 20, True, True, False)])
def test_times_are_set_aside_while_stable_takes_longer_than_it_used_to(
        now: float, slow: int, promoted: bool, idle: bool, aside: bool) -> None:
    ledger = _remembering(300)
    for number in range(300):
        ledger.add(number * 0.6, True, PAGE, False, 0.03)
    judgement = judge(ledger, 0, TOLERATED)
    assert judgement.failed and judgement.on == "times"
    pairs = [Pair(PAGE, (False, False), (0.03, 0.02 * (now if number < slow else 1.0))) for number in range(20)]
    assert set_aside(ledger, judgement, pairs, 200.0, promoted=promoted, idle=idle) is aside
    assert judge(ledger, 0, TOLERATED).failed is not aside


def test_the_first_seconds_of_a_process_say_nothing_about_its_times() -> None:
    """Caches and compilers warm up; errors count at once."""
    ledger = _remembering(300)
    for number in range(200):
        ledger.add(number * 0.05, True, PAGE, False, 0.2)
        ledger.add_pair(number * 0.05, PAGE, (False, False), (0.2, 0.02))
    assert ledger.strata["all requests"].counts.pairs == 0 and not judge(ledger, 0, TOLERATED).failed
    for number in range(40):
        ledger.add_pair(10 + number * 0.05, PAGE, (False, False), (0.2, 0.02))
    assert judge(ledger, 0, TOLERATED).on == "times"


def test_while_both_suffer_nothing_passes() -> None:
    ledger = _remembering(500)
    for number in range(600):
        bad = 300 <= number < 340
        ledger.add_pair(number * 0.1, PAGE, (bad, bad), (0.02, 0.02))
    found = judge(ledger, 0, TOLERATED)
    assert found.verdict is Verdict.INCONCLUSIVE and "the release beside it answers badly too" in found.why


def test_good_answers_pass_and_the_number_that_is_missing_comes_true() -> None:
    ledger, told, met = _remembering(), None, 0
    while _verdict(ledger) is Verdict.INCONCLUSIVE:
        ledger.add_pair(10 + met * 0.1, PAGE, (False, False), (0.02, 0.021))
        met += 1
        if met == 100:
            told = counted(judge(ledger, 0, TOLERATED), ledger).missing
    assert _verdict(ledger) is Verdict.PASSED and 150 < met < 400
    assert told is not None and abs(100 + told - met) <= 8
    assert "0 of" in judge(ledger, 0, TOLERATED).why


def test_a_first_glance_needs_less() -> None:
    ledger = _remembering()
    for number in range(160):
        ledger.add_pair(number * 0.1, PAGE, (False, False), (0.02, 0.02))
    assert (_verdict(ledger, FIRST_GLANCE), _verdict(ledger)) == (Verdict.PASSED, Verdict.INCONCLUSIVE)


@pytest.mark.parametrize(("name", "others"), [(POST, PAGE), ("GET site/one", PAGE)])
def test_one_kind_of_request_is_enough(name: str, others: str) -> None:
    ledger, bad = _remembering(500), 0
    for number in range(2000):
        hit = number % 100 == 0
        ledger.add_pair(number * 0.01, others, (False, False), None)
        ledger.add(number * 0.01, True, name if hit else others, hit, None)
        ledger.add(number * 0.01, False, name if hit else others, False, None)
        bad += hit
        if judge(ledger, 0, TOLERATED).failed:
            break
    assert judge(ledger, 0, TOLERATED).failed and bad <= 16


def test_a_release_that_goes_bad_later_is_found_in_few_answers() -> None:
    ledger = _remembering()
    for number in range(2000):
        ledger.add(number * 0.05, True, PAGE, False, 0.02)
    assert not judge(ledger, 0, TOLERATED).failed
    bad = 0
    while not judge(ledger, 0, TOLERATED).failed:
        bad += 1
        ledger.add(100 + bad * 0.05, True, PAGE, True, None)
    assert bad <= 8, "without windows it would be 20 and more: a share above 1 % of all answers"


def test_a_long_watch_costs_no_more_than_a_short_one() -> None:
    ledger = Ledger()
    for minute in range(24 * 60):
        ledger.add(minute * 60.0, True, PAGE, False, None)
    windows = ledger.open[ERRORS]
    assert windows[0] == 0 and len(windows) < 60
    assert windows[-1] - 3 < windows[-2] and any(windows[-1] - 40 < each < windows[-1] - 8 for each in windows)


def test_slow_is_found_and_a_tail_is_not() -> None:
    draw = random.Random(5)
    slow, tailed = _remembering(), _remembering()
    for number in range(400):
        base = draw.lognormvariate(-4, 0.4)
        slow.add_pair(number * 0.1, PAGE, (False, False), (1.5 * base * draw.uniform(0.8, 1.2), base))
        tail = 50.0 if number % 40 == 0 else 1.0
        tailed.add_pair(number * 0.1, PAGE, (False, False), (base * tail * draw.uniform(0.8, 1.2), base))
    assert judge(slow, 0, TOLERATED).failed and "slower in" in judge(slow, 0, TOLERATED).why
    assert not judge(tailed, 0, TOLERATED).failed


def test_a_suspicion_keeps_a_release_from_passing() -> None:
    ledger = _remembering(0)
    for number in range(600):
        ledger.add_pair(number * 0.1, PAGE, (False, False), (0.02, 0.02))
    assert _verdict(ledger) is Verdict.PASSED
    for number in range(30):
        ledger.add_pair(60 + number, "GET site/one", (number % 3 == 0, False), None)
    found = counted(judge(ledger, 0, TOLERATED), ledger)
    assert found.verdict is Verdict.INCONCLUSIVE and found.why.startswith("suspicious: GET site/one")


def test_the_bounds_hold_however_often_one_looks() -> None:
    """Four tests at the border of their hypotheses, looked at after each answer: at most 1 of 20 is ever wrong."""
    draw, runs, wrong = random.Random(1), 200, [0, 0, 0, 0]
    for _ in range(runs):
        share, hit = draw.choice([0.01, 0.03, 0.2]), [False] * 4
        new = worse = old = heads = 0
        for answers in range(1, 200):
            new, worse = new + (draw.random() < share), worse + (draw.random() < share + 0.03)
            old, heads = old + (draw.random() < share), heads + (draw.random() < 0.5)
            evidence = (more_errors(Tally(answers, new), Tally(answers, old), TOLERATED),
                        hardly_more_errors(Tally(answers, worse), Tally(answers, old), 0.03),
                        more_often(heads, answers), less_often(heads, answers))
            hit = [was or each >= math.log(20) for was, each in zip(hit, evidence, strict=True)]
        wrong = [count + each for count, each in zip(wrong, hit, strict=True)]
    assert max(wrong) <= runs * 0.05 + 3 * math.sqrt(runs * 0.05), wrong


def test_the_averages_share_one_bound() -> None:
    from aiimprove.canary import suspicion

    weights = sum(suspicion._WEIGHTS.values()) + suspicion._ROUTES
    assert math.isclose(weights, 1.0) and 2 * FALSE_ROLLBACK <= 0.001 and 2 * MISSED <= 0.01
    assert sum(math.exp(suspicion._weight(number)) for number in range(10_000)) <= 1.0


def test_nothing_speaks_against_what_is_better() -> None:
    assert more_errors(Tally(100, 1), Tally(100, 2), TOLERATED) == NOTHING
    assert more_errors(Tally(1000, 9), Tally(1000, 0), TOLERATED) == NOTHING
    assert hardly_more_errors(Tally(100, 5), Tally(100, 1), 0.03) == NOTHING
    assert hardly_more_errors(Tally(), Tally(100, 0), 0.03) == NOTHING
    assert more_often(5, 10) == NOTHING and less_often(5, 10) == NOTHING and Tally().share == 0.0


@pytest.mark.parametrize(("uri", "shape"), [
    ("/", "GET site/"), ("/videos/17?x=1", "GET site/videos/:id"), ("/a/b/c/d/e/f/g", "GET site/a/b/c/d/e"),
    ("/files/" + "x" * 40, "GET site/files/:id"), ("/caf%C3%A9", "GET site/:id")])
def test_routes(uri: str, shape: str) -> None:
    assert route("site", "GET", uri) == shape


def test_replays_are_no_load() -> None:
    pace = Pace()
    pace.replayed(10.0, 0.001)
    assert pace.wait(10.0) == pytest.approx(0.05)
    pace.replayed(10.0, 0.3)
    assert pace.wait(10.3) == pytest.approx(0.7) and pace.wait(20.0) == 0.0


def test_replays_are_for_few_visitors_and_their_times_for_idle_releases() -> None:
    pace = Pace()
    for number in range(50):
        pace.met(100 + number * 0.1, number % 2 == 0, 0.01)
    assert pace.wait(105.0) is not None and pace.comparable(105.0)
    for number in range(50):
        pace.met(105 + number * 0.02, True, 0.05)
    assert pace.wait(106.0) is None and not pace.comparable(106.0)
    assert pace.wait(130.0) is not None and pace.comparable(130.0)
