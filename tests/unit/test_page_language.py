"""Pages that do not say their language: told by their own words, and said in the templates that lack it."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from aiimprove.answer import Answer, html_language
from aiimprove.authors import AUTHORS, can_write
from aiimprove.detectors import Subject, look_all
from aiimprove.detectors.languages import language
from aiimprove.finding import Finding, Kind, Probe
from aiimprove.probes import replay
from aiimprove.recipes import Declined, Draft
from aiimprove.settings import Config, Service

CONFIG = Config(services={"site": Service(smoke=["/index.html"], health="/health.txt")})
ENGLISH = "<p>All of the plants in this garden are for you, and we have more of them by the gate. It is not far.</p>"
GERMAN = "<p>Die Pflanzen in dem Garten sind für dich, und wir haben noch mehr von den Rosen. Es ist nicht weit.</p>"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served(folder: Path, **pages: str) -> Iterator[Subject]:
    (folder / "health.txt").write_text("ok")
    for name, text in pages.items():
        (folder / f"{name}.html").write_text(text)
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    copy = SimpleNamespace(urls={"site": f"http://127.0.0.1:{server.server_port}"}, data=folder)
    try:
        yield Subject(CONFIG, copy, folder, {}, folder)  # type: ignore[arg-type]
    finally:
        server.shutdown()
        server.server_close()


def test_mute_pages_are_found_wherever_links_lead_and_said_by_their_templates(tmp_path: Path) -> None:
    with served(tmp_path, index=f'<!doctype html><html class="x">{ENGLISH}<a href="about.html">About</a>',
                about=f'<!doctype html>\n<HTML>{ENGLISH}', other='<html lang="en"><a href="index.html">') as subject:
        [found], failed = look_all(subject, ["page_language"])
        assert not failed and found.details["paths"] == ["/index.html", "/about.html"]
        assert (found.cause, found.details["language"]) == ("no-page-language", "en")
        assert not replay(found.probe, subject.copy.urls["site"], tmp_path).passed
        (tmp_path / "about.html").write_text(f"<!doctype html>\n<html>{ENGLISH}")
        done = AUTHORS["recipes"].write(found, tmp_path, CONFIG)
        assert isinstance(done, Draft) and done.files == ("about.html", "index.html"), done
        assert (tmp_path / "index.html").read_text().startswith('<!doctype html><html lang="en" class="x">')
        assert replay(found.probe, subject.copy.urls["site"], tmp_path).passed
        assert look_all(subject, ["page_language"]) == ([], [])


def test_images_without_words_are_listed_and_never_written(tmp_path: Path) -> None:
    images = ('<img src="/a.png"><img src="/b.png" alt=""><img src="/c.png" role="presentation"><img data-x="a>b" '
              'src="/d.png" alt="d"><img src="/e.png" aria-hidden="true">')
    with served(tmp_path, index=f'<html lang="en">{images}') as subject:
        [found], _ = look_all(subject, ["page_language"])
    assert found.cause == "images-without-alt" and found.details["images"] == [["/index.html", "/a.png"]]
    assert found.probe.kind == "none" and not can_write("recipes", found)


def test_too_few_words_are_listed_only(tmp_path: Path) -> None:
    with served(tmp_path, index="<html><p>Hello</p>") as subject:
        [found], _ = look_all(subject, ["page_language"])
    assert found.details["language"] == "" and found.probe.kind == "none"


@pytest.mark.parametrize("page", [f'<html lang="en">{ENGLISH}', f"<html lang=de-AT>{GERMAN}", "<p>A part of a page",
                                  f"<html data-a='>' lang='en'>{ENGLISH}"])
def test_pages_that_say_it_and_parts_of_pages_are_clean(tmp_path: Path, page: str) -> None:
    with served(tmp_path, index=page) as subject:
        assert look_all(subject, ["page_language"]) == ([], [])


@pytest.mark.parametrize(("pages", "wanted"), [
    ([ENGLISH], "en"), ([GERMAN], "de"), ([ENGLISH, GERMAN], ""), (["<script>" + "the of and " * 9 + "</script>"], ""),
    (["<p>Les plantes de ce jardin sont pour vous, et nous avons plus de roses dans la cour. Elle est là.</p>"],
     "fr"),
    (["<p>Las plantas de este jardín son para los que pasan, y hay más en el patio con las rosas. No es lejos.</p>"],
     "es"),
    ([""], "")])
def test_the_language_of_a_text(pages: list[str], wanted: str) -> None:
    assert language(pages) == wanted


def test_the_probe_wants_the_language_itself() -> None:
    def said(tag: str) -> str | None:
        return html_language(Answer(200, {}, tag.encode(), 0.0))

    assert [said(tag) for tag in ("<html>", "<html lang='pt-BR'>", "<htmlx lang='a'>", '<html xml:lang="en">',
                                  '<html data-lang="en">')] == ["", "pt-BR", None, "", ""]


def write(tree: Path, said: str = "en", **files: str) -> Draft | Declined:
    for name, text in files.items():
        path = tree / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    finding = Finding("page_language", Kind.BUG, "no-page-language", "site", "t", "s", Probe("http", "site", {}, {}),
                      1.0, {"service": "site", "paths": ["/"], "language": said})
    return AUTHORS["recipes"].write(finding, tree, CONFIG)


@pytest.mark.parametrize(("name", "before", "after"), [
    ("templates__base_dot_html", "<html>\n{% block a %}", '<html lang="en">\n{% block a %}'),
    ("templates__base_dot_jinja2", "<!-- x -->\r\n<html {{ attrs }}>\r\n",
     '<!-- x -->\r\n<html lang="en" {{ attrs }}>\r\n'),
    ("app__layout_dot_tsx", "return (\n    <html className={a}>\n", 'return (\n    <html lang="en" className={a}>\n'),
    ("pages___document_dot_jsx", "<Html>\n  <Head />", '<Html lang="en">\n  <Head />'),
])
def test_each_kind_of_template(tmp_path: Path, name: str, before: str, after: str) -> None:
    path = tmp_path / name.replace("__", "/", 1).replace("_dot_", ".")
    path.parent.mkdir(parents=True)
    path.write_text(before, newline="")
    assert isinstance(write(tmp_path), Draft)
    with path.open(newline="") as file:
        assert file.read() == after


@pytest.mark.parametrize(("said", "text", "reason"), [
    ("", "<html>", "not known which language"), ("en", '<html lang="en">', "no templates"),
    ("en", "{% load i18n %}<html>", "several languages"), ("en", "<p>", "no templates")])
def test_where_it_is_not_plain_nothing_is_said(tmp_path: Path, said: str, text: str, reason: str) -> None:
    done = write(tmp_path, said, base_dot_html=text)
    assert isinstance(done, Declined) and reason in done.reason
    assert (tmp_path / "base.html").read_text() == text


def test_mails_and_built_pages_are_left_alone(tmp_path: Path) -> None:
    done = write(tmp_path, emails__hello_dot_html="<html>", dist__index_dot_html="<html>", tests__a_dot_html="<html>")
    assert isinstance(done, Declined)
