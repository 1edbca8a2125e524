"""A file with all that it takes to prove an improvement again: the statement, both commits, the config and the data."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

from aiimprove import __version__, recording, signing, tree
from aiimprove.attestation import Signature, enveloped, opened, statement
from aiimprove.config import FILE
from aiimprove.errors import Refused, UsageError, VerificationFailed
from aiimprove.finding import Json
from aiimprove.improvement import Improvement
from aiimprove.snapshot import backup
from aiimprove.workspace import Workspace

ENVELOPE, SOURCE, DATA, TRAFFIC = "statement.dsse.json", "source.pack", "data", "traffic.json"


def export(workspace: Workspace, improvement: Improvement, file: Path, *, data: bool = True) -> str:
    """Write the bundle of an improvement that was proven; the id of the key that signed it, empty when none did.

    With `data` it holds a verified copy of the live data and the recorded requests as they are now, so it is as private
    as that: mode 0600.
    Raises Refused when there is no evidence, or the file exists.
    """
    if improvement.evidence is None or not improvement.evidence.checks:
        raise Refused(f"{improvement.id} was not proven: 'aiimprove test {improvement.id}' does that first")
    if file.exists():
        raise Refused(f"{file} exists already")
    work = workspace.work(f"bundle-{improvement.id}")
    try:
        return _write(workspace, improvement, file, _gathered(workspace, improvement, work / "gathered", data))
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _gathered(workspace: Workspace, improvement: Improvement, folder: Path, data: bool) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    (folder / SOURCE).write_bytes(workspace.repository.pack(improvement.base_commit, improvement.commit))
    shutil.copyfile(workspace.config.repository / FILE, folder / FILE)
    if data:
        workspace.progress("copying the live data")
        backup(workspace.config, workspace.data("live"), folder / DATA)
        (folder / TRAFFIC).write_text(json.dumps(recording.recent(workspace.config).to_json()))
    return folder


def _write(workspace: Workspace, improvement: Improvement, file: Path, folder: Path) -> str:
    digests = {str(each.relative_to(folder)): _digest(each) for each in _files(folder)}
    envelope = enveloped(statement(improvement, f"aiimprove {__version__}", digests),
                         lambda content: signing.sign(workspace.config.state_folder, content))
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as raw, \
                zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr(ENVELOPE, envelope)
            for name in digests:
                packed.write(folder / name, name)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
    return next((str(each["keyid"]) for each in json.loads(envelope)["signatures"]), "")


def unpack(file: Path, folder: Path) -> tuple[dict[str, Json], str]:
    """Unpack a bundle into a new folder: what its statement says, and the id of the key that signed it.

    Raises UsageError when it is no bundle, VerificationFailed when anything in it is not as the statement says.
    """
    try:
        with zipfile.ZipFile(file) as packed:
            said, key = opened(packed.read(ENVELOPE), _good)
            named = said["predicate"]["materials"]
            if sorted(packed.namelist()) != sorted([ENVELOPE, *named]):
                raise VerificationFailed("it holds other files than its statement names")
            for name in named:
                _unpack_one(packed, name, folder)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise UsageError(f"{file} cannot be read as a bundle of evidence: {error}") from None
    changed = [name for name, digest in named.items() if _digest(folder / name) != digest]
    if changed:
        raise VerificationFailed(f"changed since the statement was made: {', '.join(changed)}")
    return said, key


def _unpack_one(packed: zipfile.ZipFile, name: str, folder: Path) -> None:
    target = folder.joinpath(*tree.parts_of(name))
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with packed.open(name) as source, open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as copy:
        shutil.copyfileobj(source, copy)


def _good(content: bytes, signature: Signature) -> bool:
    try:
        return signing.good(content, signature)
    except ImportError:
        raise UsageError("the bundle is signed, and the signature can only be checked with the extra 'sign': "
                         "pip install 'aiimprove[sign]'") from None


def _files(folder: Path) -> Iterator[Path]:
    return (each for each in sorted(folder.rglob("*")) if each.is_file())


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
