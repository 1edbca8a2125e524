from __future__ import annotations

import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from proof_apps import Home, quiet

from aiimprove.build import build, load, prune, sources, verify
from aiimprove.errors import BuildFailed, NotFound
from aiimprove.sandbox import Box, find_box
from aiimprove.settings import Service

BOX = find_box()
SH = ("sh", "-c")
PLAIN = Service(folder="web", build=[*SH, "echo built >> result; tr a-z A-Z < page > PAGE"])


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path, {"web": PLAIN}, {"web/page": "hello\n", "README.md": "x"})


def with_build(home: Home, script: str, **changes: object) -> Home:
    home.config = replace(home.config, services={"web": replace(PLAIN, build=[*SH, script], **changes)})
    return home


def artifact(home: Home, commit: str = "", name: str = "web", box: Box = BOX) -> Path:
    release = build(home.config, home.repository, commit or home.first, box, quiet)
    return home.config.state_folder / "artifacts" / release.services[name]


def leftovers(home: Home) -> list[str]:
    folders = (home.config.state_folder / kind for kind in ("artifacts", "dependencies"))
    return [each.name for folder in folders if folder.is_dir() for each in folder.iterdir() if each.is_dir()]


def test_a_release_holds_what_the_build_made(home: Home) -> None:
    assert (artifact(home) / "web" / "PAGE").read_text() == "HELLO\n"


def test_the_same_commit_is_built_once(home: Home) -> None:
    first = build(home.config, home.repository, home.first, BOX, quiet)
    assert build(home.config, home.repository, home.first, BOX, quiet) == first
    assert load(home.config, first.id) == first
    assert (artifact(home) / "web" / "result").read_text() == "built\n"


def test_a_commit_that_leaves_a_service_alone_shares_its_artifact(home: Home) -> None:
    one = build(home.config, home.repository, home.first, BOX, quiet)
    two = build(home.config, home.repository, home.commit({"README.md": "y"}), BOX, quiet)
    three = build(home.config, home.repository, home.commit({"web/page": "other\n"}), BOX, quiet)
    assert (one.services, one.artifact) == (two.services, two.artifact)
    assert one.id != two.id and three.artifact != one.artifact


def test_only_the_artifact_folder_is_kept(home: Home) -> None:
    with_build(home, "mkdir -p out && cp page out/index", artifact="out")
    assert [path.name for path in artifact(home).iterdir()] == ["index"]


def test_the_working_tree_never_counts(home: Home) -> None:
    (home.folder / "web" / "page").write_text("edited\n")
    assert (artifact(home) / "web" / "PAGE").read_text() == "HELLO\n"


@pytest.mark.parametrize("box", [BOX, Box("none")], ids=lambda box: str(box.name))
def test_a_failed_build_says_why_and_leaves_nothing(home: Home, box: Box) -> None:
    with_build(home, "echo half > PAGE; echo 'no such module: left-pad' >&2; exit 3")
    with pytest.raises(BuildFailed, match=r"the build of web failed with exit code 3:\nno such module: left-pad"):
        artifact(home, box=box)
    assert leftovers(home) == []
    assert not (home.config.state_folder / "releases").exists()
    assert "left-pad" in next(home.config.logs_folder.glob("build-web-*.log")).read_text()


def test_a_build_that_hangs_is_ended(home: Home) -> None:
    with_build(home, "sleep 600")
    home.config = replace(home.config, proof=replace(home.config.proof, build_seconds=1))
    with pytest.raises(BuildFailed, match="took longer than 1 seconds"):
        artifact(home)


def test_a_full_disk_leaves_no_half_artifact(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Path, __: Path) -> None:
        raise OSError(28, "No space left on device")
    monkeypatch.setattr("aiimprove.build.artifacts.Path.rename", full)
    with pytest.raises(OSError, match="No space left"):
        artifact(home)
    assert leftovers(home) == []


@pytest.mark.parametrize(("script", "said"), [
    ("ln -s /etc/passwd page2", "a link that leaves its folder: web/page2"),
    ("ln -s ../../.. up", "a link that leaves its folder: web/up"),
    ("mkfifo pipe", "something that is no file: web/pipe"),
])
def test_what_a_hostile_build_leaves_is_refused(home: Home, script: str, said: str) -> None:
    with pytest.raises(BuildFailed, match=said):
        artifact(with_build(home, script))
    assert leftovers(home) == []


def test_no_program_of_a_release_changes_user(home: Home) -> None:
    with_build(home, "cp page tool; chmod 4755 tool; ln -s page inner")
    kept = artifact(home) / "web"
    assert (kept / "tool").stat().st_mode & 0o7777 == 0o755
    assert (kept / "inner").read_text() == "hello\n"


@pytest.mark.skipif(BOX.name != "bubblewrap", reason="no bubblewrap here")
def test_a_build_reaches_neither_the_network_nor_the_state(home: Home) -> None:
    secret = home.config.state_folder / "state.db"
    secret.write_text("operators")
    with_build(home, f"cat {secret} > stolen; ls {home.folder} >> stolen; cat /proc/net/route >> stolen; true")
    assert (artifact(home) / "web" / "stolen").read_text().strip().splitlines()[1:] == []


def test_one_changed_byte_is_noticed(home: Home) -> None:
    release = build(home.config, home.repository, home.first, BOX, quiet)
    verify(home.config, release)
    page = home.config.state_folder / "artifacts" / release.services["web"] / "web" / "PAGE"
    page.write_text("HELLo\n")
    with pytest.raises(BuildFailed, match="is not what was built"):
        verify(home.config, release)


@pytest.mark.parametrize("change", ["chmod", "add", "remove"])
def test_more_than_bytes_counts(home: Home, change: str) -> None:
    release = build(home.config, home.repository, home.first, BOX, quiet)
    folder = home.config.state_folder / "artifacts" / release.services["web"] / "web"
    {"chmod": lambda: (folder / "page").chmod(0o755), "add": lambda: (folder / "new").mkdir(),
     "remove": lambda: (folder / "page").unlink()}[change]()
    with pytest.raises(BuildFailed):
        verify(home.config, release)


def test_an_unknown_release(home: Home) -> None:
    with pytest.raises(NotFound):
        load(home.config, "r-0")


def test_pruning_keeps_what_a_kept_release_needs(home: Home) -> None:
    one = build(home.config, home.repository, home.first, BOX, quiet)
    two = build(home.config, home.repository, home.commit({"README.md": "y"}), BOX, quiet)
    three = build(home.config, home.repository, home.commit({"web/page": "other\n"}), BOX, quiet)
    assert prune(home.config, lambda: {two.id}) == sorted([one.id, three.id])
    verify(home.config, load(home.config, two.id))
    assert leftovers(home) == [two.services["web"]]
    with pytest.raises(NotFound):
        load(home.config, three.id)


class TestDependencies:
    """With a real virtual environment; nothing is downloaded."""

    SERVICE = Service(folder="api", runtime="python", lock_files=["locks/requirements.txt"],
                      install=[*SH, "{python} -c 'import sys; print(sys.prefix)' > where; cat locks/requirements.txt"],
                      build=["{python}", "-c", "import sys; open('prefix', 'w').write(sys.prefix)"])

    @pytest.fixture
    def home(self, tmp_path: Path) -> Home:
        return Home(tmp_path, {"api": self.SERVICE},
                    {"api/app.py": "1", "api/locks/requirements.txt": "# nothing"})

    def test_they_are_made_once_where_they_stay(self, home: Home) -> None:
        release = build(home.config, home.repository, home.first, BOX, quiet)
        folder = home.config.state_folder / "dependencies" / release.dependencies["api"]
        made = (folder / ".complete").stat().st_mtime_ns
        assert (folder / "where").read_text().strip() == str(folder)
        built = home.config.state_folder / "artifacts" / release.services["api"] / "api" / "prefix"
        assert built.read_text() == str(folder) != sys.prefix
        again = build(home.config, home.repository, home.commit({"api/app.py": "2"}), BOX, quiet)
        assert again.dependencies == release.dependencies and again.services != release.services
        assert (folder / ".complete").stat().st_mtime_ns == made
        tree = sources(home.config, home.repository, home.first, home.root / "tree", "api")
        assert (tree / "app.py").read_text() == "1"

    def test_a_failed_installation_leaves_nothing(self, home: Home) -> None:
        service = replace(self.SERVICE, runtime="", install=[*SH, "echo no matching distribution; exit 1"])
        home.config = replace(home.config, services={"api": service})
        with pytest.raises(BuildFailed, match="the installation of api failed with exit code 1:\nno matching"):
            build(home.config, home.repository, home.first, BOX, quiet)
        assert leftovers(home) == []

    def test_two_builders_at_once_make_one(self, home: Home) -> None:
        service = replace(self.SERVICE, runtime="", install=[*SH, f"echo x >> {home.root}/state/dependencies/count; "
                                                                  "sleep 0.3; echo done > made"], build=["true"])
        home.config = replace(home.config, services={"api": service})
        answers: list[str] = []
        threads = [threading.Thread(target=lambda: answers.append(
            build(home.config, home.repository, home.first, Box("none"), quiet).id)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(answers) == 3 and len(set(answers)) == 1
        assert (home.config.state_folder / "dependencies" / "count").read_text() == "x\n"


@pytest.mark.parametrize("box", [BOX, Box("none")], ids=lambda box: str(box.name))
def test_node_finds_its_modules_and_cannot_change_them(tmp_path: Path, box: Box) -> None:
    service = Service(folder="site", runtime="node", lock_files=["package.json"],
                      install=[*SH, "mkdir -p node_modules/pad; echo 'module.exports = 7' > node_modules/pad/index.js"],
                      build=[*SH, "node -p \"require('pad')\" > out; echo 8 > node_modules/pad/index.js; true"])
    home = Home(tmp_path, {"site": service}, {"site/package.json": "{}"})
    kept = artifact(home, name="site", box=box) / "site"
    assert (kept / "out").read_text() == "7\n"
    assert (kept / "node_modules" / "pad" / "index.js").read_text() == "module.exports = 7\n"
