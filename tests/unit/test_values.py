"""What is tried on a parameter."""

from __future__ import annotations

import pytest

from aiimprove.detectors.values import INTEGERS, UNKNOWN, hostile
from aiimprove.finding import Json
from aiimprove.openapi import Parameter


@pytest.mark.parametrize(("schema", "more"), [
    ({}, ()), ({"minimum": 1, "maximum": 2 ** 31 - 1}, (1, 2 ** 31 - 1)), ({"minimum": 0, "maximum": 100.0}, (100,)),
    ({"exclusiveMinimum": 3}, ())])
def test_the_last_numbers_that_a_schema_allows_are_tried_too(schema: dict[str, Json], more: tuple[int, ...]) -> None:
    parameter = Parameter("id", "path", {"type": "integer", **schema}, True, "/paths/x")
    assert hostile(parameter) == (*INTEGERS, *more)


def test_words_are_tried_where_no_schema_keeps_them_from_a_number() -> None:
    assert hostile(Parameter("n", "form", {"type": "integer"}, True, ""))[-1] == UNKNOWN
    assert None in hostile(Parameter("n", "body", {"type": "integer"}, True, ""))
