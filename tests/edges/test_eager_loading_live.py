"""Lists that ask for each row, in Django and in FastAPI with SQLAlchemy: found, mended, and found no more."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from stand import APPS, Stand, frameworks_python, made_python, running

from aiimprove.authors import AUTHORS
from aiimprove.detectors import look_all
from aiimprove.finding import Finding
from aiimprove.honesty import spoken
from aiimprove.honesty.written import Known, Written
from aiimprove.mutation import mutants
from aiimprove.probes import get, replay
from aiimprove.recipes import Draft
from aiimprove.settings import Config, Service
from aiimprove.tree import read_tree

PLAYS = '''
from fastapi import Depends, FastAPI
from pydantic import BaseModel, ConfigDict
from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, sessionmaker

engine = create_engine("sqlite:///plays.db", connect_args={"check_same_thread": False})
SessionLocal = sessionmaker(bind=engine)


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "authors"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    plays: Mapped[list["Play"]] = relationship(back_populates="author")


class Play(Base):
    __tablename__ = "plays"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))
    author: Mapped[Author] = relationship(back_populates="plays")


Base.metadata.create_all(engine)
app = FastAPI()


def get_db():
    with SessionLocal() as session:
        if not session.get(Author, 1):
            session.add_all([Author(name=f"a{n}", plays=[Play(title=f"p{n}"), Play(title=f"q{n}")]) for n in range(8)])
            session.commit()
            session.expunge_all()
        yield session


class Named(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    name: str


class Full(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    title: str
    author: Named


def shown(play: Play) -> dict:
    return {"title": play.title, "author": play.author.name}


@app.get("/health")
def health():
    return "ok"


@app.get("/plays")
def plays(db: Session = Depends(get_db)):
    return [shown(play) for play in db.scalars(select(Play).order_by(Play.id).limit(40))]


@app.get("/full", response_model=list[Full])
def full(db: Session = Depends(get_db)):
    return db.query(Play).order_by(Play.id).limit(30).all()


@app.get("/authors")
def authors(db: Session = Depends(get_db)):
    found = db.query(Author).all()
    return [{"name": author.name, "plays": [play.title for play in author.plays]} for author in found]
'''
PLAYS_TEST = '''from fastapi.testclient import TestClient
from plays import app

client = TestClient(app)


def test_health():
    assert client.get("/health").status_code == 200
'''


def mended(place: Stand) -> list[Finding]:
    """What was found and mended, one after the other: each finding names lines as they were when it was found."""
    config, done = Config(services={"backend": place.service}), []
    while found := seen(place):
        result = AUTHORS["recipes"].write(found[0], place.source, config)
        assert isinstance(result, Draft) and len(result.files) == 2, result
        done.append(found[0])
        assert len(done) < 5
    return done


def seen(place: Stand) -> Sequence[Finding]:
    with running(place) as subject:
        findings, failed = look_all(subject, ["repeated_sql"])
    assert not failed
    return findings


def passes(place: Stand, *words: str) -> bool:
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **place.env}
    done = subprocess.run([place.python, *words], cwd=place.source, env=env, capture_output=True, text=True,
                          timeout=60)
    print(done.stdout, done.stderr)
    return done.returncode == 0


def unnoticed(place: Stand, file: str, before: str, *words: str) -> list[str]:
    """Mistakes in the lines that were mended, that no test notices."""
    path = place.source / file
    text = path.read_text()
    lost = []
    for each in mutants(file, before, text):
        path.write_text(each.text)
        lost += [each.change] if passes(place, *words) else []
    path.write_text(text)
    return lost


def objected(before: dict[str, bytes], place: Stand, finding: Finding) -> dict[str, list[str]]:
    """What the rules against cheating say about all that was written."""
    after = read_tree(place.source)
    known = Known(finding, frozenset(before), frozenset({"fastapi", "sqlalchemy", "django", "pytest"}))
    files = [Written(path, before[path].decode() if path in before else None, text.decode(), "test" in path)
             for path, text in after.items() if path.endswith(".py") and before.get(path) != text]
    assert len(files) > 1
    return spoken(files, known)


@pytest.mark.slow
def test_fastapi_with_sqlalchemy(tmp_path: Path) -> None:
    tree, data = tmp_path / "app", tmp_path / "data"
    (tree / "tests").mkdir(parents=True)
    data.mkdir()
    (tree / "plays.py").write_text(PLAYS)
    (tree / "tests" / "test_plays.py").write_text(PLAYS_TEST)
    python = made_python("fastapi", "uvicorn", "sqlalchemy>=2", "pytest", "httpx")
    place = Stand(tree, data, python, "plays:app", service=Service(
        folder=".", runtime="python", health="/health", openapi="/openapi.json", tests="tests"))
    before = read_tree(tree)
    done = mended(place)
    assert objected(before, place, done[0]) == {}
    assert {each.place for each in done} == {
        "backend/shown authors", "backend/authors plays", "backend/GET /full authors"}
    text = (tree / "plays.py").read_text()
    assert "select(Play).options(selectinload(Play.author)).order_by" in text
    assert "db.query(Author).options(selectinload(Author.plays)).all()" in text
    assert "db.query(Play).options(selectinload(Play.author)).order_by" in text
    with running(place) as subject:
        url = subject.copy.urls["backend"]
        assert all(replay(each.probe, url, data).passed for each in done)
        assert get(url + "/plays").json()[3] == {"title": "q1", "author": "a1"}
    words = ("-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert passes(place, *words) and unnoticed(place, "plays.py", PLAYS, *words) == []
    (tree / "plays.py").write_text(PLAYS)
    assert not any(passes(place, *words, str(each)) for each in (tree / "tests").glob("*_at_once.py"))


@pytest.mark.slow
def test_django(tmp_path: Path) -> None:
    tree, data = tmp_path / "bookshelf", tmp_path / "data"
    shutil.copytree(APPS / "bookshelf", tree, ignore=shutil.ignore_patterns("__pycache__"))
    data.mkdir()
    service = Service(folder=".", runtime="python", health="/books/", smoke=["/books/"])
    place = Stand(tree, data, frameworks_python(), service=service,
                  words=("manage.py", "runserver", "--noreload", "127.0.0.1:{port}"))
    load = ("from books.models import *; [Book.objects.create(title='b', author=Author.objects.create(name=f'a{n}')) "
            "for n in range(9)]")
    before = (tree / "books" / "views.py").read_text()
    assert passes(place, "manage.py", "migrate") and passes(place, "manage.py", "shell", "-c", load)
    was = read_tree(tree)
    done = mended(place)
    assert objected(was, place, done[0]) == {}
    assert [each.place for each in done] == ["backend/index books_author"]
    assert 'Book.objects.select_related("author").order_by("id")[:100]' in (tree / "books" / "views.py").read_text()
    assert passes(place, "manage.py", "test") and unnoticed(place, "books/views.py", before, "manage.py", "test") == []
    assert done[0].details["count"] == 9
    (tree / "books" / "views.py").write_text(before)
    assert not passes(place, "manage.py", "test")
