"""Eager loading: many shapes of lists in SQLAlchemy and Django, and what is left alone."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from aiimprove.finding import Finding, Kind, Probe
from aiimprove.recipes import Declined, Draft
from aiimprove.recipes.eager_loading import EagerLoading
from aiimprove.settings import Config, Service

CONFIG = Config(services={"web": Service(folder="srv", tests="tests")})
ALCHEMY = '''from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    books: Mapped[list["Book"]] = relationship(back_populates="author")
    late: Mapped[list["Book"]] = relationship(lazy="dynamic", viewonly=True)

    def to_dict(self):
        return {"n": self.name, "b": [b.title for b in self.books]}  # method


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))
    author: Mapped[Author] = relationship(back_populates="books")
    editor = relationship("Author", foreign_keys="Book.editor_id")
'''
DJANGO = '''from django.db import models


class Author(models.Model):
    name = models.CharField(max_length=9)
    friends = models.ManyToManyField("self", symmetrical=False)


class Tag(models.Model):
    word = models.CharField(max_length=9)


class Book(models.Model):
    title = models.CharField(max_length=9)
    author = models.ForeignKey(Author, models.CASCADE, related_name="books")
    tags = models.ManyToManyField("Tag")


class Note(models.Model):
    book = models.ForeignKey("shop.Book", models.CASCADE)
    text = models.TextField(null=True)
'''


def write(tree: Path, models: str, code: str, table: str) -> tuple[Draft | Declined, str]:
    """The frames are the lines of `code` that end with `# 0`, `# 1`..., the innermost first."""
    app = tree / "srv" / "shop"
    app.mkdir(parents=True)
    (app / "models.py").write_text(models)
    (app / "views.py").write_text(code)
    (app / "__init__.py").write_text("")
    files = {"shop/views.py": code, "shop/models.py": models}
    frames = [[file, "f", number] for mark in ("# method", "# 0", "# 1", "# 2") for file, text in files.items()
              for number, line in enumerate(text.splitlines(), 1) if line.endswith(mark)
              and (mark != "# method" or "to_dict()" in code)]
    details = {"service": "web", "method": "GET", "route": "/x", "table": table, "frames": frames, "count": 9}
    probe = Probe("statements", "web", {"method": "GET", "path": "/x", "table": table}, {"at_most": 2})
    found = Finding("repeated_sql", Kind.PERFORMANCE, "repeated-statements", "web/f", "t", "s", probe, 1.0, details)
    result = EagerLoading().write(found, tree, CONFIG)
    after = (app / "views.py").read_text()
    ast.parse(after)
    assert isinstance(result, Draft) or after == code
    return result, after


QUERY = "from shop.models import Author, Book\n\n\ndef f(db, flag=False):\n"


@pytest.mark.parametrize(("body", "table", "expected"), [
    ("    return [b.author.name for b in db.query(Book).all()]  # 0\n", "authors",
     "db.query(Book).options(selectinload(Book.author)).all()"),
    ("    rows = db.scalars(select(Book).order_by(Book.id)).all()\n    return [b.author.name for b in rows]  # 0\n",
     "authors", "select(Book).options(selectinload(Book.author)).order_by(Book.id)"),
    ("    query = select(Author)\n    if flag:\n        query = query.where(Author.id > 3)\n"
     "    for a in db.execute(query).scalars():\n        print(len(a.books))  # 0\n", "books",
     "query = select(Author).options(selectinload(Author.books))\n"),
    ("    for n, b in enumerate(Book.query.limit(9)):\n        pass\n    for b in Book.query.limit(5):\n"
     "        print(b.author)  # 0\n", "authors", "in Book.query.options(selectinload(Book.author)).limit(5):"),
    ("    return [shown(each) for each in db.query(Book)]  # 1\n\n\ndef shown(book):\n"
     "    return book.author.name  # 0\n", "authors", "in db.query(Book).options(selectinload(Book.author))]"),
    ("    return [a.to_dict() for a in db.query(Author).limit(7)]  # 1\n", "books",
     "db.query(Author).options(selectinload(Author.books)).limit(7)"),
    ("    found = db.query(Book).filter(\n        Book.id > 3,\n    )\n    return [\n        {'é': 'é', "
     "'a': b.author.name}  # 0\n        for b in found\n    ]\n", "authors",
     "found = db.query(Book).options(selectinload(Book.author)).filter(\n"),
])
def test_sqlalchemy_loads_with_the_list(tmp_path: Path, body: str, table: str, expected: str) -> None:
    result, after = write(tmp_path, ALCHEMY, QUERY + body, table)
    assert isinstance(result, Draft), result
    assert expected in after and after.count("selectinload(") == 1
    assert "from sqlalchemy.orm import selectinload\n" in after


@pytest.mark.parametrize(("body", "table", "expected"), [
    ("    return [b.author.name for b in Book.objects.all()]  # 0\n", "shop_author",
     'Book.objects.select_related("author").all()'),
    ("    rows = models.Book.objects.filter(id__gt=3).order_by('id')[:50]\n    for b in rows:\n"
     "        print(b.author.name)  # 0\n", "shop_author",
     "models.Book.objects.select_related(\"author\").filter(id__gt=3).order_by('id')[:50]"),
    ("    return [[t.word for t in b.tags.all()] for b in Book.objects.all()]  # 0\n", "shop_tag",
     'Book.objects.prefetch_related("tags").all()'),
    ("    return [len(a.books.all()) for a in Author.objects.order_by('name')]  # 0\n", "shop_book",
     "Author.objects.prefetch_related(\"books\").order_by('name')"),
    ("    return [len(b.note_set.all()) for b in Book.objects.all()]  # 0\n", "shop_note",
     'Book.objects.prefetch_related("note_set").all()'),
    ("    return [len(b.author.name) for b in Book.objects.filter(id=3) if b.id]  # 0\n", "shop_tag", ""),
    ("    return [len(a.friends.all()) for a in Author.objects.all()]  # 0\n", "shop_author",
     'Author.objects.prefetch_related("friends").all()'),
    ("    return render(flag, 'a.html', {'books': Book.objects.order_by('id')[:9], 'n': 3})  # 0\n", "shop_author",
     "{'books': Book.objects.select_related(\"author\").order_by('id')[:9]"),
    ("    books = Book.objects.all()\n    about = {'books': books}\n    return render(\n  # 0\n        flag, 'a.html', "
     "about)\n", "shop_tag", 'books = Book.objects.prefetch_related("tags").all()'),
])
def test_django_loads_with_the_list(tmp_path: Path, body: str, table: str, expected: str) -> None:
    result, after = write(tmp_path, DJANGO, QUERY + body, table)
    if expected:
        assert isinstance(result, Draft), result
        assert expected in after
    else:
        assert isinstance(result, Declined) and "no relationships" in result.reason, result


@pytest.mark.parametrize(("models", "body", "table", "said"), [
    (ALCHEMY, "    return [db.execute('SELECT * FROM prices WHERE b = ?', (b.id,)) for b in db.query(Book)]  # 0\n",
     "prices", "may be written out"),
    (ALCHEMY, "    return [db.get(Author, b.author_id) for b in db.query(Book)]  # 0\n", "authors",
     "no relationships to authors"),
    (ALCHEMY, "    return [(b.author.name, b.editor.name) for b in db.query(Book)]  # 0\n", "authors",
     "2 relationships"),
    (ALCHEMY, "    return [len(a.late) for a in db.query(Author)]  # 0\n", "books", "says itself"),
    (ALCHEMY, "    rows = db.query(Book)\n    if flag:\n        rows = db.query(Book).limit(3)\n"
     "    return [b.author.name for b in rows]  # 0\n", "authors", "several places"),
    (ALCHEMY, "    rows = db.query(Book) if flag else []\n    return [b.author.name for b in rows]  # 0\n", "authors",
     "not plain where the query"),
    (ALCHEMY, "    return [b.author.name for b in books(db)]  # 0\n", "authors", "not plain where the query"),
    (ALCHEMY, "    return [b.author.name for b in db.query(Book, Author)]  # 0\n", "authors", "is not built"),
    (ALCHEMY, "    return [b.author.name for b in db.query(Book).yield_per(9)]  # 0\n", "authors", "yield_per"),
    (ALCHEMY, "    return [b.author.name for b in db.query(Book).options(lazyload('*'))]  # 0\n", "authors",
     "options already"),
    (ALCHEMY, "    return [b.author.name for b in db.query(Author)]  # 0\n", "authors", "the list is of Author"),
    (ALCHEMY, "    b = db.query(Book).first()\n    return b.author.name  # 0\n", "authors", "which rows b"),
    (ALCHEMY, "    for b in db.query(Book):\n        pass\n    for b in list(db):\n        print(b.author)  # 0\n",
     "authors", "which rows b"),
    (DJANGO, "    return [a.books.count() for a in Author.objects.all()]  # 0\n", "shop_book", "as a whole"),
    (DJANGO, "    return [b.tags.all().exclude(id=1) for b in Book.objects.all()]  # 0\n", "shop_tag", "as a whole"),
    (DJANGO, "    return [b.tags.filter(word='x') for b in Book.objects.all()]  # 0\n", "shop_tag", "as a whole"),
    (DJANGO, "    return [b.author.name for b in Book.objects.only('title')]  # 0\n", "shop_author", "(only)"),
    (DJANGO, "    return [b.author.name for b in Book.objects.all().iterator()]  # 0\n", "shop_author", "(iterator)"),
    (DJANGO, "    return [b.author.name for b in Book.objects.select_related('author').all()]  # 0\n", "shop_author",
     "select_related already"),
    (DJANGO, "    return [b.author.name for b in Shelf(3).books.all()]  # 0\n", "shop_author", "not plain where"),
    (DJANGO, "    return 3\n", "shop_author", "functions might answer"),
    (DJANGO, "    return render(flag, 'a.html', {'b': Book.objects.all()[:3], 'c': Book.objects.all()})  # 0\n",
     "shop_author", "2 relationships may be read"),
    (DJANGO, "    return render(flag, 'a.html', {'n': 3})  # 0\n", "shop_author", "no relationships may be read"),
])
def test_what_is_not_plain_is_left_alone(tmp_path: Path, models: str, body: str, table: str, said: str) -> None:
    result, _ = write(tmp_path, models, QUERY + body, table)
    assert isinstance(result, Declined) and said in result.reason, result


def test_the_test_in_djangos_words(tmp_path: Path) -> None:
    app = tmp_path / "srv" / "checks"
    app.mkdir(parents=True)
    (app / "__init__.py").write_text("")
    (app / "test_all.py").write_text("from django.test import TestCase\n")
    result, _ = write(tmp_path, DJANGO, QUERY + "    return [b.tags.all() for b in Book.objects.all()[:20]]  # 0\n",
                      "shop_tag")
    assert isinstance(result, Draft)
    text = (app / "test_get_x_tags_at_once.py").read_text()
    ast.parse(text)
    assert 'one = Book.objects.create(title=f"t{n}", author=Author.objects.create(name=f"t{n}"))' in text
    assert 'one.tags.add(Tag.objects.create(word=f"t{n}"))' in text and '"LIMIT 20" in each' in text
    assert "from shop.models import Author, Book, Tag\n" in text and "assert len(of) <= 1" in text


def test_no_test_where_rows_cannot_be_made(tmp_path: Path) -> None:
    app = tmp_path / "srv" / "checks"
    app.mkdir(parents=True)
    (app / "__init__.py").write_text("")
    (app / "test_all.py").write_text("from django.test import TestCase\n")
    odd = DJANGO.replace('word = models.CharField(max_length=9)', "word = PointField()")
    result, _ = write(tmp_path, odd, QUERY + "    return [b.tags.all() for b in Book.objects.all()]  # 0\n", "shop_tag")
    assert isinstance(result, Draft) and "No test comes with it" in result.claim


ANSWERED = """from fastapi import FastAPI
from shop.models import Book

app = FastAPI()


@app.get("/x", response_model=list[dict])
def listed(db=None):
    return db.query(Book).all()


@app.get("/y")
def other(db=None):
    return db.query(Book).first()
"""


def test_what_the_framework_reads_of_an_answer(tmp_path: Path) -> None:
    """No line of the app is under way while an answer is written by its response model."""
    result, after = write(tmp_path, ALCHEMY.replace("    editor =", "    x ="), ANSWERED, "authors")
    assert isinstance(result, Declined) and "2 relationships" in result.reason  # author and x
    plain = "\n".join(line for line in ALCHEMY.splitlines() if "editor" not in line) + "\n"
    result, after = write(tmp_path / "plain", plain, ANSWERED, "authors")
    assert isinstance(result, Draft) and "return db.query(Book).options(selectinload(Book.author)).all()" in after
