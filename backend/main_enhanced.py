"""The video library's service: `uvicorn main_enhanced:app`."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles

from library.crawler import Crawler
from library.database import Database, DatabaseUnready
from library.guard import Guard
from library.routes import health, playlists, sources, usage, videos
from library.settings import Settings

DEMO = Path(__file__).resolve().parent / "demo"


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    settings = Settings.of(os.environ)
    app.state.database = Database(settings.database)
    app.state.crawler = Crawler(app.state.database, Guard(settings.allowed_hosts)) if settings.crawls else None
    if app.state.crawler:
        app.state.crawler.start()
    yield
    if app.state.crawler:
        app.state.crawler.stop()
    app.state.database.close()


app = FastAPI(title="Video library", version="1.0.0", lifespan=lifespan)
app.include_router(health.router)
app.include_router(videos.router)
app.include_router(playlists.router)
app.include_router(sources.router)
app.include_router(usage.router)
app.mount("/demo", StaticFiles(directory=DEMO, html=True), name="demo")


@app.exception_handler(DatabaseUnready)
async def database_unready(request: Request, error: DatabaseUnready) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, status_code=503)


@app.exception_handler(RequestValidationError)
async def invalid_request(request: Request, error: RequestValidationError) -> JSONResponse:
    """Without the input: what is no valid JSON text or number could not be sent back as such."""
    detail = [{"type": each["type"], "loc": each["loc"], "msg": each["msg"]} for each in error.errors()]
    return JSONResponse({"detail": detail}, status_code=422)


@app.get("/robots.txt", include_in_schema=False)
def robots() -> FileResponse:
    return FileResponse(DEMO / "robots.txt", media_type="text/plain")
