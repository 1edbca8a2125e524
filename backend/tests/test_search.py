import pytest

from library import catalogue, search
from library.database import Database
from library.found import FoundVideo
from library.models import Sort


@pytest.fixture
def filled(database: Database, some_videos: list[FoundVideo]) -> Database:
    with database.writing() as connection:
        for video in some_videos:
            catalogue.keep(connection, video, None)
    return database


def titles(database: Database, query: search.Query) -> list[str]:
    with database.reading() as connection:
        videos, total = search.find(connection, query, 1, 50)
    assert total == len(videos)
    return [video.title for video in videos]


def test_a_title_counts_more_than_a_description(filled: Database) -> None:
    assert titles(filled, search.Query("bread")) == ["Bread in an hour", "Night train"]


def test_the_last_word_may_still_be_typed(filled: Database) -> None:
    assert titles(filled, search.Query("night tr")) == ["Night train"]
    assert titles(filled, search.Query("nig train")) == []


def test_accents_and_case_do_not_matter(filled: Database) -> None:
    assert titles(filled, search.Query("CAFE brotchen")) == ["Café und Brötchen"]


def test_tags_and_categories_are_searched(filled: Database) -> None:
    assert titles(filled, search.Query("quick cooking bread")) == ["Bread in an hour"]


@pytest.mark.parametrize("words", ['"', "bread OR", "NEAR(", "title:x*", "a-b", "'; DROP TABLE videos", "\x00", "*"])
def test_no_words_are_a_syntax_error(filled: Database, words: str) -> None:
    titles(filled, search.Query(words))
    assert titles(filled, search.Query("night")) == ["Night train"]


def test_only_signs_find_nothing(filled: Database) -> None:
    assert titles(filled, search.Query("!?")) == []


def test_filters_are_combined(filled: Database) -> None:
    assert titles(filled, search.Query(category="Cooking", tag="quick", max_duration=60)) == ["Café und Brötchen"]
    assert titles(filled, search.Query(min_duration=60, max_duration=60)) == ["Night train"]
    assert titles(filled, search.Query("bread", category="Cooking")) == ["Bread in an hour"]
    assert titles(filled, search.Query(favourite=True)) == []


@pytest.mark.parametrize(
    ("sort", "first"),
    [("newest", "Night train"), ("oldest", "Bread in an hour"), ("title", "Bread in an hour"),
     ("duration", "Café und Brötchen"), ("relevance", "Night train")],
)  # fmt: skip
def test_orders(filled: Database, sort: Sort, first: str) -> None:
    assert titles(filled, search.Query(sort=sort))[0] == first


def test_the_index_follows_a_change_and_a_deletion(filled: Database) -> None:
    with filled.writing() as connection:
        connection.execute("UPDATE videos SET title = 'Morning bus' WHERE title = 'Night train'")
        connection.execute("DELETE FROM videos WHERE title LIKE 'Caf%'")
    assert titles(filled, search.Query("morning")) == ["Morning bus"]
    assert titles(filled, search.Query("night")) == []
    assert titles(filled, search.Query("cafe")) == []
    with filled.writing() as connection:
        connection.execute("INSERT INTO videos_fts (videos_fts, rank) VALUES ('integrity-check', 1)")
