"""Compression and security headers: where the app is made, in its own layout, or not at all."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from aiimprove.authors import AUTHORS
from aiimprove.finding import Finding, Kind, Probe
from aiimprove.recipes import Declined, Draft
from aiimprove.recipes.gzip import Gzip
from aiimprove.recipes.next_headers import NextHeaders
from aiimprove.recipes.security_headers import SecurityHeaders
from aiimprove.settings import Config, Service

CONFIG = Config(services={"web": Service(folder="srv", start=["python", "-m", "uvicorn", "pkg.entry:app"])})
HEADERS = ["X-Content-Type-Options", "Referrer-Policy"]


def finding(cause: str, **details: object) -> Finding:
    known = {"service": "web", "path": "/", "missing": HEADERS, "spares_parts": None}
    return Finding("d", Kind.SECURITY, cause, "web", "t", "s", Probe("http", "web", {}, {}), 1.0, {**known, **details})


def tree(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / "srv" / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_gzip_stands_after_the_other_middleware_of_a_factory(tmp_path: Path) -> None:
    text = ("import fastapi\n\n\ndef make() -> fastapi.FastAPI:\n    server = fastapi.FastAPI()\n"
            "    server.add_middleware(\n        Other,\n        a=1,\n    )\n    server.state.ready = True\n"
            "    return server\n")
    result = Gzip().write(finding("no-compression"), tree(tmp_path, pkg__factory=text), CONFIG)
    assert isinstance(result, Draft) and result.files == ("srv/pkg/factory.py",)
    written = (tmp_path / "srv/pkg/factory.py").read_text()
    assert "    )\n    server.add_middleware(GZipMiddleware, minimum_size=1000)\n    server.state.ready" in written
    assert written.startswith("import fastapi\nfrom fastapi.middleware.gzip import GZipMiddleware\n")


def test_gzip_for_starlette_itself(tmp_path: Path) -> None:
    text = "from starlette.applications import Starlette\n\nsite: Starlette = Starlette(routes=[])\n"
    assert isinstance(Gzip().write(finding("no-compression"), tree(tmp_path, site=text), CONFIG), Draft)
    written = (tmp_path / "srv/site.py").read_text()
    assert "from starlette.middleware.gzip import GZipMiddleware\n" in written
    assert written.endswith("site.add_middleware(GZipMiddleware, minimum_size=1000)\n")


APP = "from fastapi import FastAPI\n\napp = FastAPI()\n"


@pytest.mark.parametrize(("files", "details", "reason"), [
    ({"main": APP, "b": "from starlette.middleware.gzip import GZipMiddleware\n"}, {}, "compresses answers already"),
    ({"main": APP, "b": "from fastapi.responses import FileResponse\n"}, {}, "sends files or streams"),
    ({"main": APP, "b": "StreamingResponse\n"}, {"spares_parts": False}, "sends files or streams"),
    ({"one": APP, "two": APP}, {}, "made in 2 places"),
    ({"main": "app = application()\n"}, {}, "no place is known"),
    ({}, {}, "no Python file"),
])
def test_gzip_is_declined(tmp_path: Path, files: dict[str, str], details: dict[str, object], reason: str) -> None:
    tree(tmp_path, **files)
    result = Gzip().write(finding("no-compression", **details), tmp_path, CONFIG)
    assert isinstance(result, Declined) and reason in result.reason
    assert all((tmp_path / "srv" / f"{name}.py").read_text() == text for name, text in files.items())


def test_the_started_app_is_meant_when_there_are_two(tmp_path: Path) -> None:
    tree(tmp_path, pkg__entry=APP, pkg__admin=APP)
    result = Gzip().write(finding("no-compression"), tmp_path, CONFIG)
    assert isinstance(result, Draft) and result.files == ("srv/pkg/entry.py",)


def test_the_headers_stand_before_the_app_and_only_the_missing_ones(tmp_path: Path) -> None:
    text = ('"""Doc."""\nfrom fastapi import FastAPI\n\nX = 1\n# the app of it all\napi = FastAPI(\n    title="A",\n)\n'
            "\n\n@api.get('/')\ndef root(): ...\n")
    result = SecurityHeaders().write(finding("missing-security-headers"), tree(tmp_path, a=text), CONFIG)
    assert isinstance(result, Draft)
    written = (tmp_path / "srv/a.py").read_text()
    ast.parse(written)
    assert written.index("class SecurityHeaders") < written.index("# the app of it all\napi = FastAPI(")
    assert ")\napi.add_middleware(SecurityHeaders, headers=SECURITY_HEADERS)\n" in written
    assert "X-Frame-Options" not in written


@pytest.mark.parametrize("taken", ["class SecurityHeaders: ...", "SECURITY_HEADERS = {}"])
def test_names_that_are_taken_are_left_alone(tmp_path: Path, taken: str) -> None:
    result = SecurityHeaders().write(finding("missing-security-headers"), tree(tmp_path, a=f"{APP}\n{taken}\n"), CONFIG)
    assert isinstance(result, Declined) and "already" in result.reason


def test_a_header_without_a_value_that_is_right_everywhere_is_declined(tmp_path: Path) -> None:
    asked = finding("missing-security-headers", missing=["Content-Security-Policy"])
    assert isinstance(SecurityHeaders().write(asked, tree(tmp_path, a=APP), CONFIG), Declined)


@pytest.mark.parametrize("text", [
    "const nextConfig = {\n  output: 'standalone',\n};\n\nexport default nextConfig;\n",
    "module.exports = {\n  reactStrictMode: true,\n};\n",
    "import type { NextConfig } from 'next';\n\nconst config: NextConfig = {\n};\nexport default config;\n",
])
def test_a_plain_next_configuration_gets_headers(tmp_path: Path, text: str) -> None:
    site = tmp_path / "srv"
    site.mkdir()
    (site / "next.config.mjs").write_text(text)
    result = AUTHORS["recipes"].write(finding("missing-security-headers"), tmp_path, CONFIG)
    assert isinstance(result, Draft) and result.files == ("srv/next.config.mjs",)
    written = (site / "next.config.mjs").read_text()
    assert '{ key: "X-Content-Type-Options", value: "nosniff" },' in written
    assert written.count("{") == written.count("}") and written.replace(" ", "").count("headers:[") == 1


@pytest.mark.parametrize("text", [
    "export default withBundle({\n  output: 'x',\n});\n",
    "const other = {\n};\nexport default build();\n",
    "const config = {\n  async headers() { return []; },\n};\nexport default config;\n",
])
def test_other_next_configurations_are_left_alone(tmp_path: Path, text: str) -> None:
    site = tmp_path / "srv"
    site.mkdir()
    (site / "next.config.mjs").write_text(text)
    assert isinstance(NextHeaders().write(finding("missing-security-headers"), tmp_path, CONFIG), Declined)
    assert (site / "next.config.mjs").read_text() == text


def test_a_site_with_vitest_gets_a_test(tmp_path: Path) -> None:
    site = tmp_path / "srv"
    (site / "tests").mkdir(parents=True)
    (site / "next.config.mjs").write_text("export default {\n};\n")
    (site / "tests" / "a.test.ts").write_text("")
    (site / "package.json").write_text(json.dumps({"devDependencies": {"vitest": "1"}}))
    result = NextHeaders().write(finding("missing-security-headers"), tmp_path, CONFIG)
    assert isinstance(result, Draft) and len(result.files) == 2
    assert 'from "../next.config.mjs"' in (site / "tests" / "security-headers.test.mjs").read_text()
    (site / "package.json").write_text(json.dumps({"devDependencies": {"jest": "1"}}))
    (site / "next.config.mjs").write_text("export default {\n};\n")
    assert isinstance(NextHeaders().write(finding("missing-security-headers"), tmp_path, CONFIG), Declined)


def test_only_a_recipe_that_is_about_the_program_says_why_not(tmp_path: Path) -> None:
    (tmp_path / "srv").mkdir()
    (tmp_path / "srv" / "app.py").write_text("from fastapi import APIRouter\n\nrouter = APIRouter()\n")
    declined = AUTHORS["recipes"].write(finding("missing-security-headers", missing=["X-Frame-Options"]), tmp_path,
                                        CONFIG)
    assert declined == Declined("no place is known where the app is made")
