"""Twenty random kill -9 of the verbs and of the loop, amid what they do; bench/kills.py does two hundred."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from bundled_site import adjusted, quick_tests

if TYPE_CHECKING:
    from bench.site import Site

pytestmark = pytest.mark.site


@pytest.fixture
def patient(site: Site) -> Iterator[Site]:
    """The bundled site, new, with a config that forgives interruptions; new again afterwards."""
    from bench.kills import PATIENT

    with quick_tests(site), adjusted(site, **PATIENT):
        _renew(site)
        yield site
    _renew(site)


def _renew(site: Site) -> None:
    site.reset()
    site.must("up", "--without-loop")
    site.add_operator()


def test_nothing_is_lost_or_doubled_and_the_same_command_resumes(patient: Site) -> None:
    from bench.kills import KILLS_SHORT, over

    figures = over(patient, short=True)
    assert sum(row["kills"] for row in figures.rows) >= KILLS_SHORT
    assert {row["verb"] for row in figures.rows} >= {"deploy", "rollback", "run"}
    broken = [(target.name, target.value) for target in figures.targets if not target.holds]
    assert not broken, broken
