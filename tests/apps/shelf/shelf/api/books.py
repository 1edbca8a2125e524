from pathlib import Path
from typing import Annotated, Optional

from fastapi import (
    APIRouter,
    HTTPException,
    Query,
)
from fastapi.responses import FileResponse, StreamingResponse

from .store import Database, Paging

router = APIRouter(prefix="/books", tags=["books"])
CLIP = Path(__file__).resolve().parent / "clip.mp4"


@router.get("")
async def list_books(
    database: Database,
    paging: Paging,
    genre: str | None = None,
    oldest: Annotated[Optional[int], Query(description="year", alias="from")] = None,  # noqa: UP045
    sort: str = Query("id", pattern="^(id|title|pages)$"),
):
    skip, limit = paging
    rows = database.execute(
        f"SELECT * FROM books WHERE (?1 IS NULL OR genre = ?1) AND year >= ?2 ORDER BY {sort} LIMIT ?3 OFFSET ?4",
        (genre, oldest or 0, limit, skip),
    )
    return {"items": [dict(row) for row in rows]}


@router.get("/count/{genre}")
def count_books(database: Database, genre: str):
    return {"count": database.execute("SELECT count(*) FROM books WHERE genre = ?", (genre,)).fetchone()[0]}


@router.get("/clip")
def clip():
    return FileResponse(CLIP, media_type="video/mp4")


@router.get("/events")
def events():
    return StreamingResponse(("data: tick\n\n" for _ in range(3)), media_type="text/event-stream")


@router.get("/newest")
def newest(database: Database):
    row = database.execute("SELECT * FROM books ORDER BY id DESC LIMIT 1").fetchone()
    return {"title": row["title"], "author": row["author"]}


@router.get("/{book_id:int}")
def get_item(database: Database, book_id: int):
    row = database.execute("SELECT * FROM books WHERE id = ?", (book_id,)).fetchone()
    if row is None:
        raise HTTPException(404, "no such book")
    return dict(row)


@router.get("/{book_id}/share")
def share(book_id: int, parts: int = 1):
    """Nobody can have a book in no parts at all; less than none turns it around."""
    return {"part": 100 / parts}
