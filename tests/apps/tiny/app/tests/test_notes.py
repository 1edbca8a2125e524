import runpy

import app


def test_notes_are_found_by_their_tag():
    runpy.run_path("migrate.py")
    assert app.with_tag("home") == ["water the plants", "bread"]


def test_an_unknown_tag_has_no_notes():
    runpy.run_path("migrate.py")
    assert app.with_tag("nowhere") == []
