"""A Node service: Next.js, a site that Vite or another bundler makes, or a server such as Express."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from aiimprove.recognition import node_packages, routes, suites
from aiimprove.recognition.seen import Seen, Service
from aiimprove.recognition.sources import Sources

_SERVERS = {"express": "Express", "fastify": "Fastify", "koa": "Koa", "@hapi/hapi": "hapi", "hono": "Hono",
            "@nestjs/core": "Nest", "restify": "restify", "polka": "Polka"}
_BUNDLERS = ("vite", "astro")
_ENTRIES = ("server.js", "index.js", "app.js", "src/index.js", "src/server.js", "src/app.js", "src/index.ts",
            "src/server.ts", "server.mjs", "index.mjs")
_LISTENS = re.compile(r"\.listen\(\s*([^,)]*)")
_ENV = re.compile(r"process\.env\.(\w+)\s*(?:\|\||\?\?)\s*['\"`]([^'\"`]*)['\"`]")
_BARE = re.compile(r"process\.env\.(\w*(?:BACKEND|API|SERVER)\w*_URL)\b")
_BUILT = re.compile(r"(?:process\.env\.((?:NEXT_PUBLIC|REACT_APP)_\w+)|import\.meta\.env\.(VITE_\w+))")


def recognise(at: Sources, name: str) -> Service | None:
    """The service of a folder with a package.json; None when nothing in it serves."""
    package = at.json("package.json")
    asked, scripts = node_packages.names(package), {str(key): str(value) for key, value in (
        package.get("scripts") or {}).items()}
    server = next((words for known, words in _SERVERS.items() if known in asked), "")
    if "next" in asked:
        return _next(at, name, package)
    if not server and any(each in asked for each in _BUNDLERS):
        return _bundled(at, name, package)
    if "react-scripts" in asked:
        return _built(at, name, package, "build")
    if server or "start" in scripts or _entry(at, package, scripts):
        return _server(at, name, package, scripts, server or "Node")
    return None


def _base(at: Sources, package: dict[str, Any]) -> dict[str, Seen]:
    asked = node_packages.names(package)
    return {**node_packages.values(at, package), **suites.node(at, package, asked)}


def _script(at: Sources, name: str) -> str:
    return at.where("package.json", at.line_of("package.json", f'"{name}"'))


def _next(at: Sources, name: str, package: dict[str, Any]) -> Service:
    config = at.text(at.first("next.config.js", "next.config.mjs", "next.config.ts"))
    if re.search(r"output:\s*['\"]export['\"]", config):
        return _built(at, name, package, "out")
    values = {**_base(at, package), "build": Seen(["npm", "run", "build"], _script(at, "build")),
              "start": Seen(["npx", "next", "start", "-H", "127.0.0.1", "-p", "{port}", "--keepAliveTimeout", "75000"],
                            _script(at, "start")),
              "assets": Seen({"/_next/static/": ".next/static"}, "files named by their content")}
    env = {"NODE_ENV": Seen("production", "Next.js"), **_addresses(at)}
    return Service(name, at.prefix.rstrip("/") or ".", "Next.js", values, env, notes=tuple(_of_build(at)), front=True)


def _bundled(at: Sources, name: str, package: dict[str, Any]) -> Service:
    """vite writes beside its config when it reads it, which a release forbids: it is started where there is none. With
    a proxy the config is needed."""
    config = at.first("vite.config.ts", "vite.config.js", "vite.config.mjs")
    proxied = "proxy" in at.text(config)
    made = re.search(r"outDir:\s*['\"]([\w./-]+)['\"]", at.text(config))
    folder = made[1].removeprefix("./") if made and ".." not in made[1] else "dist"
    place = ["--configLoader", "runner"] if proxied else ["{data}", "--outDir", f"{{folder}}/{folder}"]
    values = {**_base(at, package), "build": Seen(["npm", "run", "build"], _script(at, "build")),
              "start": Seen(["npx", "vite", "preview", *place, "--host", "127.0.0.1", "--port", "{port}",
                             "--strictPort"],
                            "vite's own server of what it built")}
    notes = [*_of_build(at)]
    if proxied:
        notes.append(f"{at.where(config, at.line_of(config, 'proxy'))}: the proxy leads to a fixed port, so that the "
                     "development copy talks to that one too; take its target from a variable, as in "
                     "process.env.BACKEND_URL, and give it \"http://127.0.0.1:{NAME.port}\" in the env table")
    return Service(name, at.prefix.rstrip("/") or ".", "Vite", values, notes=tuple(notes), front=True)


def _built(at: Sources, name: str, package: dict[str, Any], folder: str) -> Service:
    values = {**_base(at, package), "build": Seen(["npm", "run", "build"], _script(at, "build")),
              "start": Seen(["python3", "-m", "http.server", "{port}", "--bind", "127.0.0.1", "--directory", folder],
                            f"the build makes {folder}/; Python's own server of files")}
    return Service(name, at.prefix.rstrip("/") or ".", "static", values, notes=tuple(_of_build(at)), front=True)


def _server(at: Sources, name: str, package: dict[str, Any], scripts: Mapping[str, str], framework: str) -> Service:
    entry = _entry(at, package, scripts)
    words = _words(scripts.get("start", ""), entry)
    where = _script(at, "start") if "start" in scripts else at.where(entry)
    values = {**_base(at, package), "start": Seen(words, where)}
    if "build" in scripts:
        values["build"] = Seen(["npm", "run", "build"], _script(at, "build"))
    bound, blocked = _port(at)
    usual = {"NODE_ENV": Seen("production", "usual for a live server", guess=True)}
    env = {**usual, **bound, **_files(at), **_addresses(at)}
    kept = [str(each.value).removeprefix("{data}/").removeprefix("file:{data}/") for each in env.values()
            if str(each.value).endswith((".db", ".sqlite", ".sqlite3"))]
    if kept:
        values["databases"] = Seen(kept, "from the variables below")
    pages = routes.pages(at)
    return Service(name, at.prefix.rstrip("/") or ".", framework, values, env, health=routes.health(pages), pages=pages,
                   notes=tuple(_of_data(at)), blocked=blocked)


def _entry(at: Sources, package: dict[str, Any], scripts: Mapping[str, str]) -> str:
    """The file that listens."""
    started = [word for word in scripts.get("start", "").split() if word.endswith((".js", ".mjs", ".cjs", ".ts"))]
    known = [path for path in (*started, str(package.get("main") or ""), *_ENTRIES) if path and at.has(path)]
    return next((path for path in known if _LISTENS.search(at.text(path))), "")


def _words(script: str, entry: str) -> list[str]:
    if not script:
        return ["npx", "tsx", entry] if entry.endswith(".ts") else ["node", entry]
    plain = re.fullmatch(r"(?:NODE_ENV=\w+\s+)?(node(?:\s+[\w./=-]+)+)", script.strip())
    return plain[1].split() if plain else ["npm", "run", "--silent", "start"]


def _listening(at: Sources) -> Iterator[tuple[str, str, str]]:
    """Each file that listens, its text, and what it gives to listen."""
    for path in at.ending(".js", ".ts", ".mjs", ".cjs"):
        text = at.text(path)
        yield from ((path, text, match[1].strip()) for match in _LISTENS.finditer(text))


def _port(at: Sources) -> tuple[dict[str, Seen], str]:
    """The variable that takes the port when it is not PORT, or the sentence that none does."""
    for path, text, given in _listening(at):
        where = at.where(path, at.line_of(path, ".listen("))
        named = re.search(rf"\b{re.escape(given)}\s*=\s*([^;\n]+)", text) if given.isidentifier() else None
        said = f"{given} {named[1] if named else ''}"
        variable = re.search(r"process\.env\.(\w+)", said) or re.search(r"process\.env\.(\w*PORT)\b", text)
        if variable:
            return ({} if variable[1] == "PORT" else {variable[1]: Seen("{port}", where)}), ""
        number = re.search(r"\d{3,5}", said)
        if number:
            place = at.where(path, at.line_of(path, (named[0] if named else f".listen({given}").strip()[:40]))
            return {}, (f"{place} listens on port {number[0]}, fixed in the code; two releases run side by side during "
                        "a deploy, each on a port of its own. "
                        f"Write process.env.PORT || {number[0]} there, and commit it")
    return {}, ""


def _files(at: Sources) -> dict[str, Seen]:
    """Variables that say where a database file stands."""
    found: dict[str, Seen] = {}
    for path in at.ending(".js", ".ts", ".mjs", ".cjs"):
        for match in _ENV.finditer(at.text(path)):
            file = match[2].removeprefix("file:").rpartition("/")[2]
            if file.endswith((".db", ".sqlite", ".sqlite3")):
                scheme = "file:" if match[2].startswith("file:") else ""
                found.setdefault(match[1], Seen(f"{scheme}{{data}}/{file}",
                                                at.where(path, at.line_of(path, match[0]))))
    return found


def _addresses(at: Sources) -> dict[str, Seen]:
    """Variables of the server's side whose default is another service of this machine; see `link`."""
    found: dict[str, Seen] = {}
    for path in at.ending(".js", ".ts", ".mjs", ".cjs", ".tsx", ".jsx"):
        for match in _BARE.finditer(at.text(path)):
            if not _BUILT.match(match[0]):
                found.setdefault(match[1], Seen("http://localhost", at.where(path, at.line_of(path, match[0]))))
        for match in _ENV.finditer(at.text(path)):
            if re.match(r"https?://(localhost|127\.0\.0\.1|backend|api|server)(:\d+)?", match[2]) \
                    and not _BUILT.match(f"process.env.{match[1]}"):
                found[match[1]] = Seen(match[2], at.where(path, at.line_of(path, match[0])))
    return found


def _of_build(at: Sources) -> Iterator[str]:
    for path in at.ending(".js", ".ts", ".tsx", ".jsx", ".vue", ".svelte", ".mjs"):
        match = _BUILT.search(at.text(path))
        if match:
            yield (f"{at.where(path, at.line_of(path, match[0]))}: {match[1] or match[2]} is fixed when the site is "
                   "built, for live and the development copy alike: commit it in .env.production as live's address, or "
                   "use a path such as /api")
            return


def _of_data(at: Sources) -> Iterator[str]:
    for path in at.ending(".js", ".ts", ".mjs", ".cjs"):
        match = re.search(r"new (?:sqlite3\.)?Database(?:Sync)?\(\s*['\"`]([^'\"`:]+)['\"`]", at.text(path))
        if match:
            yield (f"{at.where(path, at.line_of(path, match[0]))} puts {match[1]} beside the code, where a release "
                   f"cannot be written. Write process.env.DATABASE_FILE || '{match[1]}' there, commit that, and put "
                   f"DATABASE_FILE = \"{{data}}/{match[1].rpartition('/')[2]}\" into the env table of this service")
            return
