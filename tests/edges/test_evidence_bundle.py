"""The proof of an improvement, taken elsewhere and made again there from one file."""

from __future__ import annotations

import base64
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny import Said, Tiny


@pytest.fixture(scope="module")
def proven(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    tiny = Tiny(tmp_path_factory.mktemp("proven"))
    tiny.pretend_live()
    tiny.plant()
    assert tiny.call("generate", "index").exit_code == 0
    assert tiny.call("test", "index", seconds=120).exit_code == 0
    return tiny


@pytest.fixture(scope="module")
def bundle(proven: Tiny) -> Path:
    file = proven.root / "index.zip"
    said = proven.call("evidence", "export", "index", "--out", str(file), "--json")
    assert said.data["signed_by"] and said.data["bytes"] == file.stat().st_size and file.stat().st_mode & 0o077 == 0
    return file


def elsewhere(proven: Tiny, folder: Path, file: Path, *words: str) -> Said:
    """On what could be another machine: no repository, no config, no state."""
    folder.mkdir(exist_ok=True)
    env = {"HOME": str(folder), "AIIMPROVE_STATE": str(folder / "none"), "TMPDIR": str(folder)}
    return proven.call("evidence", "verify", str(file), *words, "--json", cwd=folder, env=env, seconds=120)


def test_it_comes_to_the_same_elsewhere(proven: Tiny, bundle: Path, tmp_path: Path) -> None:
    data = elsewhere(proven, tmp_path, bundle).data
    assert (data["then"], data["now"], data["same"], data["same_judge"]) == ("passed", "passed", True, True)
    assert all(check["then"] == check["now"] for check in data["checks"]) and len(data["checks"]) > 5
    assert list(tmp_path.iterdir()) == []


def test_without_the_data_it_says_so(proven: Tiny, tmp_path: Path) -> None:
    file = tmp_path / "x.zip"
    said = proven.call("evidence", "export", "index", "--out", str(file), "--without-data")
    assert said.exit_code == 0 and "no data of the site" in said.output
    with zipfile.ZipFile(file) as packed:
        assert not [name for name in packed.namelist() if name.startswith("data/")]
    again = proven.call("evidence", "export", "index", "--out", str(file))
    assert again.exit_code == 3 and "exists already" in again.errors


def rewritten(bundle: Path, file: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    with zipfile.ZipFile(bundle) as packed:
        content = {name: packed.read(name) for name in packed.namelist()}
    change(content)
    with zipfile.ZipFile(file, "w") as packed:
        for name, raw in content.items():
            packed.writestr(name, raw)
    return file


def _another_config(content: dict[str, bytes]) -> None:
    content["config.toml"] += b"\n# changed\n"


def _another_file(content: dict[str, bytes]) -> None:
    content["../outside"] = b"x"


def _another_statement(content: dict[str, bytes]) -> None:
    outer = json.loads(content["statement.dsse.json"])
    payload = base64.b64decode(outer["payload"]).replace(b'"failed"', b'"passed"').replace(b"Index", b"index")
    content["statement.dsse.json"] = json.dumps(outer | {"payload": base64.b64encode(payload).decode()}).encode()


def _another_patch(content: dict[str, bytes]) -> None:
    """Unsigned, so that only the commits can tell."""
    outer = json.loads(content["statement.dsse.json"])
    said = json.loads(base64.b64decode(outer["payload"]))
    said["predicate"]["improvement"]["patch"] = "another"
    payload = base64.b64encode(json.dumps(said).encode()).decode()
    content["statement.dsse.json"] = json.dumps(outer | {"payload": payload, "signatures": []}).encode()


@pytest.mark.parametrize(("change", "words"), [
    (_another_config, "changed since the statement was made: config.toml"), (_another_file, "holds other files"),
    (_another_statement, "the signature does not fit"), (_another_patch, "not those of the patch")])
def test_what_was_changed_shows(proven: Tiny, bundle: Path, tmp_path: Path,
                                change: Callable[[dict[str, bytes]], None], words: str) -> None:
    said = elsewhere(proven, tmp_path / "there", rewritten(bundle, tmp_path / "changed.zip", change))
    assert said.exit_code == 4 and words in said.error["message"], said
    assert not (tmp_path / "outside").exists()


def test_digests_alone(proven: Tiny, bundle: Path, tmp_path: Path) -> None:
    assert elsewhere(proven, tmp_path, bundle, "--digests-only").data["improvement"] == "index"


def test_what_is_no_bundle(proven: Tiny, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("no zip")
    for name in ("x", "missing"):
        said = elsewhere(proven, tmp_path / "there", tmp_path / name)
        assert said.exit_code == 2 and "cannot be read as a bundle" in said.error["message"]


def test_what_was_not_proven_is_not_exported(tiny: Tiny) -> None:
    tiny.plant()
    said = tiny.call("evidence", "export", "index", "--json")
    assert said.exit_code == 3 and "aiimprove test index" in said.error["message"]
    assert not (tiny.folder / "index.evidence.zip").exists()


def test_a_live_env_file_is_not_asked_for(proven: Tiny, tmp_path: Path) -> None:
    """The config of another machine may name files that are only there."""
    other = proven.copy(tmp_path / "other")
    secrets = tmp_path / "secrets"
    secrets.write_text("KEY=value\n")
    secrets.chmod(0o600)
    text = (other.folder / "config.toml").read_text()
    (other.folder / "config.toml").write_text(f'{text}\n[env_file]\nlive = "{secrets}"\n')
    file = tmp_path / "y.zip"
    assert other.call("evidence", "export", "index", "--out", str(file)).exit_code == 0
    secrets.unlink()
    shutil.rmtree(other.root)
    assert elsewhere(proven, tmp_path / "there", file).data["same"]
