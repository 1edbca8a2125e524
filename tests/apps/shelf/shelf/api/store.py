import os
import sqlite3
from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Query


def database() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(os.environ["SHELF_DB"], check_same_thread=False)
    connection.row_factory = sqlite3.Row
    try:
        yield connection
    finally:
        connection.close()


def paging(skip: int = 0, limit: int = Query(20, le=100, ge=1)) -> tuple[int, int]:
    return skip, limit


Database = Annotated[sqlite3.Connection, Depends(database)]
Paging = Annotated[tuple[int, int], Depends(paging)]
