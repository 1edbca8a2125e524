"""Sources and their crawls."""

from fastapi import APIRouter, HTTPException, Response

from library import crawls, sources, values
from library.models import Crawl, Source, SourceUrl
from library.routes.access import Library, RunningCrawler, absent

router = APIRouter(prefix="/api", tags=["sources"])


@router.get("/sources")
def list_sources(library: Library) -> list[Source]:
    with library.reading() as connection:
        return sources.every(connection)


@router.post("/sources", status_code=201, responses={200: {"description": "The source was listed already."}})
def add_source(library: Library, wanted: SourceUrl, response: Response) -> Source:
    url = values.web_address(wanted.url)
    if url is None:
        raise HTTPException(422, "The url must be an http or https address.")
    with library.writing() as connection:
        source_id, new = sources.add(connection, url)
        response.status_code = 201 if new else 200
        return sources.find(connection, source_id) or absent("source")


@router.delete("/sources/{source_id}", status_code=204)
def delete_source(library: Library, source_id: int) -> None:
    with library.writing() as connection:
        if not sources.delete(connection, source_id):
            absent("source")


@router.post("/sources/{source_id}/crawl", status_code=202)
def crawl_source(library: Library, source_id: int, crawler: RunningCrawler) -> Crawl:
    with library.writing() as connection:
        source = sources.find(connection, source_id) or absent("source")
        crawl_id = crawls.ask(connection, source.id, source.url)
        crawl = crawls.find(connection, crawl_id) or absent("crawl")
    if crawler is not None:
        crawler.wake()
    return crawl


@router.get("/crawls")
def list_crawls(library: Library) -> list[Crawl]:
    with library.reading() as connection:
        return crawls.recent(connection)
