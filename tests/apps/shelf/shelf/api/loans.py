from fastapi import APIRouter, HTTPException
from pydantic import BaseModel

from .store import Database

loans = APIRouter()


class Loan(BaseModel):
    book_id: int
    days: int | None = None


@loans.get("/{loan_id}")
def get_item(database: Database, loan_id: int):
    row = database.execute("SELECT * FROM loans WHERE id = ?", (loan_id,)).fetchone()
    if row is None:
        raise HTTPException(404, "no such loan")
    return dict(row)


@loans.post("", status_code=201)
def lend(database: Database, loan: Loan):
    made = database.execute("INSERT INTO loans (book_id, days) VALUES (?, ?)", (loan.book_id, loan.days))
    database.commit()
    return {"id": made.lastrowid}
