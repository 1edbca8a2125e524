from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from commands.options import Id, Json, opened
from commands.output import answer, progress, table

Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Where to write it; without a word "
                                          "ID.evidence.zip in this folder.")]
WithoutData = Annotated[bool, typer.Option("--without-data", help="Leave the live data out. A probe that needs some "
                                           "cannot be repeated then.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="What 'evidence export' wrote.")]
DigestsOnly = Annotated[bool, typer.Option("--digests-only", help="Only check that nothing in it was changed.")]


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(help="The proof of an improvement, taken elsewhere.",
                        no_args_is_help=True)
    for verb in (export, verify):
        group.command(verb.__name__)(verb)
    app.add_typer(group, name="evidence")


def export(improvement: Id, out: Out = None, without_data: WithoutData = False, json: Json = False) -> None:
    """Write everything that proves an improvement again into one file.

    It holds an in-toto statement in a DSSE envelope (signed with this installation's own key when the extra 'sign' is
    installed), both commits, the config, and a copy of the live data: keep it as private as those.
    """
    from aiimprove import bundle

    workspace = opened()
    found = workspace.store.improvement(improvement)
    file = (out or Path(f"{found.id}.evidence.zip")).absolute()
    key = bundle.export(workspace, found, file, data=not without_data)
    answer({"file": str(file), "bytes": file.stat().st_size, "signed_by": key or None},
           f"Written: {file} ({file.stat().st_size / 1e6:.1f} MB). It holds "
           + ("no data of the site." if without_data else "the data of the site."),
           f"Signed with the key {key}." if key else "It is not signed: pip install 'aiimprove[sign]' signs the next.",
           "'aiimprove evidence verify' proves it again, on any machine.")


def verify(file: File, digests_only: DigestsOnly = False, json: Json = False) -> None:
    """Prove again what a bundle holds, on this machine.

    Needs no repository, config or state: everything happens in a scratch folder. Exit 4 when something in the bundle
    was changed, or the proof comes to something else than it did.
    """
    from aiimprove import reproving

    found = reproving.verify(file, progress(), prove_again=not digests_only)
    if not isinstance(found, reproving.Proofs):
        answer({"improvement": found["improvement"]["id"], "signed_by": found["signed_by"] or None},
               f"Everything in it is as its statement says. {_by(found['signed_by'])}")
        return
    data = found.to_json()
    rows = [(each["name"], each["then"] or "", each["now"] or "", each["summary"]) for each in data["checks"]]
    answer(data, table(("check", "then", "now", "seen now"), rows), _by(found.signed_by),
           "" if found.same_judge else "Other checks or limits judge here than judged then.",
           f"It came to {data['then']} then, and to {data['now']} now.", error=_difference(found))


def _by(key: str) -> str:
    return f"Signed with the key {key}: compare that with what its maker says." if key else "Nobody signed it."


def _difference(found: Any) -> Any:
    from aiimprove.errors import VerificationFailed
    from aiimprove.reproving import must_be_the_same

    try:
        must_be_the_same(found)
    except VerificationFailed as error:
        return error
    return None
