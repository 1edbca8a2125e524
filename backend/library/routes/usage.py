"""What the library is used for."""

from fastapi import APIRouter

from library import usage
from library.models import EmptySearch, Event, Recorded
from library.routes.access import Library

router = APIRouter(prefix="/api", tags=["usage"])


@router.post("/events", status_code=201)
def record_event(library: Library, event: Event) -> Recorded:
    with library.writing() as connection:
        return Recorded(id=usage.record(connection, event))


@router.get("/usage/empty-searches")
def list_empty_searches(library: Library) -> list[EmptySearch]:
    with library.reading() as connection:
        return usage.empty_searches(connection)
