"""What a route works with."""

from typing import Annotated, NoReturn

from fastapi import Depends, HTTPException, Request

from library.crawler import Crawler
from library.database import Database


def migrated_database(request: Request) -> Database:
    """The library's database. Raises DatabaseUnready, answered with 503, when it lacks a migration."""
    database: Database = request.app.state.database
    database.require_schema()
    return database


def running_crawler(request: Request) -> Crawler | None:
    """The crawler of this process, unless it is switched off."""
    crawler: Crawler | None = request.app.state.crawler
    return crawler


Library = Annotated[Database, Depends(migrated_database)]
RunningCrawler = Annotated[Crawler | None, Depends(running_crawler)]


def absent(noun: str) -> NoReturn:
    """Answer 404."""
    raise HTTPException(404, f"There is no such {noun}.")
