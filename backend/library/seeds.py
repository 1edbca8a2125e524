"""Made-up videos: the same ones every time, plausible in size, words and spread."""

import random
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from library.catalogue import tags_text
from library.database import Database

CATEGORIES = {
    "Cooking": "bread soup knife oven pasta pepper salad sauce butter dough rice curry grill",
    "Travel": "train island harbour mountain city river hostel border map village desert bridge",
    "Science": "planet crystal magnet cell enzyme laser orbit fossil volcano neuron glacier comet",
    "Music": "guitar piano drum chord rhythm violin choir melody synth vinyl bass opera",
    "Gardening": "tomato compost seed rose hedge greenhouse soil bee orchard pond herb lawn",
    "Woodwork": "chisel oak joint plane varnish bench dovetail saw walnut lathe drawer clamp",
    "Cycling": "gravel wheel brake saddle pass sprint tyre chain tour gear frame helmet",
    "Film": "camera lens light script edit scene silent western documentary trailer studio stunt",
    "Computing": "compiler database kernel network cache thread pixel browser parser robot cipher queue",
    "History": "castle roman letter archive railway mill parliament coin harvest guild canal tower",
}
OPENINGS = ("How to choose a", "The story of the", "A slow look at the", "Five mistakes with a", "Repairing an old",
            "Inside the", "What nobody says about the", "An evening with a", "Building a", "The last")  # fmt: skip
SENTENCES = ("Filmed over three days in bad weather.", "Questions are answered in the second half.",
             "No music, no voice, only the work.", "Made for beginners, with all the steps shown twice.",
             "The tools are listed at the end.", "Part of a series that goes on every other week.",
             "Recorded in one take.", "With thanks to everybody who lent a hand.")  # fmt: skip
CLIPS = ("counting-bars", "moving-chart", "game-of-life", "soft-gradients", "bouncing-square", "slow-wheel")
NEWEST = datetime(2026, 6, 30, tzinfo=UTC)
INSERT = (
    "INSERT OR IGNORE INTO videos (url, title, description, media_url, thumbnail_url, duration, published, category, "
    "tags, favourite, plays, added) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def sow(database: Database, rows: int, base: str | None = None) -> int:
    """Add `rows` videos in one transaction; how many were new. `base` is the service whose clips they show."""
    with database.writing() as connection:
        before = _count(connection)
        connection.executemany(INSERT, made_up(rows, base))
        return _count(connection) - before


def made_up(rows: int, base: str | None = None) -> Iterator[tuple[object, ...]]:
    """The values of INSERT, row by row; row N is the same in every run."""
    for number in range(1, rows + 1):
        yield _row(number, random.Random(number), base)


def _row(number: int, dice: random.Random, base: str | None) -> tuple[object, ...]:
    category = dice.choices(list(CATEGORIES), weights=range(len(CATEGORIES), 0, -1))[0]
    words = CATEGORIES[category].split()
    first, second, third = dice.sample(words, 3)
    published = NEWEST - timedelta(minutes=dice.randrange(6 * 365 * 24 * 60))
    clip = dice.choice(CLIPS)
    return (
        f"https://videos.example/watch/{number}",
        f"{dice.choice(OPENINGS)} {first}, no. {number}",
        f"{category}: the {first}, the {second} and the {third}. " + " ".join(dice.sample(SENTENCES, 4)),
        f"{base.rstrip('/')}/demo/clips/{clip}.mp4" if base else None,
        f"{base.rstrip('/')}/demo/clips/{clip}.jpg" if base else None,
        min(7200, 20 + int(dice.paretovariate(1.1) * 60)),
        published.strftime("%Y-%m-%dT%H:%M:%SZ"),
        category,
        tags_text([first, second, category.lower()]),
        dice.random() < 0.01,
        int(dice.paretovariate(0.8)) - 1,
        NEWEST.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
    )


def _count(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM videos").fetchone()[0])
