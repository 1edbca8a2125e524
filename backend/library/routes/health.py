"""Is the service alive, and can it work."""

from fastapi import APIRouter, Request, Response

from library import readiness
from library.models import Health, Readiness
from library.routes.access import RunningCrawler

router = APIRouter(tags=["health"])


@router.get("/health")
async def health() -> Health:
    return Health()


@router.get("/ready", responses={503: {"model": Readiness}})
def ready(request: Request, response: Response, crawler: RunningCrawler) -> Readiness:
    found = readiness.check(request.app.state.database, crawler)
    response.status_code = 200 if found.status == "ready" else 503
    return found
