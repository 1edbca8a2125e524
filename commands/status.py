from __future__ import annotations

import json as json_module
import sys
import time
from typing import Annotated, Any

import typer

from commands import hot
from commands.options import Json
from commands.options import opened as open_workspace
from commands.output import CALL, answer, moment, table
from commands.stamp import content

Operator = Annotated[bool, typer.Option("--operator", help="Answer only if an operator's token stands on stdin.")]
_IDEAS = ("PROPOSED", "NEEDS_AUTHOR", "UNPROVEN")
_DONE = ("SUPERSEDED", "EXPIRED", "REJECTED", "FAILED", "ROLLED_BACK")


def add_to(app: typer.Typer) -> None:
    app.command()(status)


def status(operator: Operator = False, json: Json = False) -> None:
    """What is live, how healthy it is, and what happens next.

    Also: which improvements are under way, which of your files are not live because they are not committed, how far
    your branch and live have moved apart, and where the state and the logs are.
    """
    workspace = open_workspace()
    if operator:
        from aiimprove import operators

        operators.verify(workspace.store, sys.stdin.readline())
    line = hot.envelope(content(workspace.config))
    if CALL.json:
        print(line)
        return
    data = json_module.loads(line)["data"]
    answer(data, *_sentences(data), *_git(workspace, data), *_machine(workspace))


def _sentences(data: dict[str, Any]) -> list[str]:
    health = data["health"]
    score = "not measured yet" if health["score"] is None else f"{health['score']} of 100"
    lines = [f"{data['name']}: live {health['live']}, dev {health['dev']}, database {health['database']}, "
             f"score {score}, {health['errors']} errors",
             f"Live     {data['live_release'] or 'nothing yet'}  {data['live_url'] or ''}",
             f"Dev      {data['dev_release'] or 'nothing yet'}  {data['dev_url'] or ''}"
             + (f"  (shows {data['dev_improvement']})" if data["dev_improvement"] else ""),
             f"State    {data['state_folder']}{_size(data['footprint'])}", f"Logs     {data['logs_folder']}"]
    if data["deploying"]:
        now = data["deploying"]
        lines.append(f"Left     release {now['release']} is half deployed ({now['status']}) and nobody is at it: the "
                     "loop, or your next command, finishes or undoes that." if now["left"] else
                     f"Deploying {now['release']}: {now['status']} for {time.time() - now['started']:.0f} s")
        if now["judgement"]["verdict"]:
            lines.append(f"         {now['judgement']['verdict']}: {now['judgement']['why']}")
    lines += [f"Now      {each['name']}: {each['message']}, for {time.time() - each['since']:.0f} s"
              for each in data["working"]]
    missed = [f"Not as predicted: {name}: {why}. 'aiimprove rollback' takes the last one back."
              for name, why in data["missed"].items()]
    return [*lines, "", *_improvements(data), "", *missed, *_gate(data["gate"]), _next(data)]


def _gate(gate: dict[str, Any] | None) -> list[str]:
    """What the judge's own test came to, where that is anything to know."""
    if gate is None or gate["word"] == "open":
        return []
    closed = "nothing is asked, approved or deployed that an author wrote" if not gate["open"] else "it stays open"
    return [f"The gate is {'open' if gate['open'] else 'closed'} since {moment(gate['at'])}: {gate['why']} ({closed})."]


def _size(footprint: dict[str, Any] | None) -> str:
    if footprint is None:
        return ""
    largest = sorted(footprint["parts"].items(), key=lambda part: -part[1])[:3]
    return (f"  ({footprint['bytes'] / 1e6:.0f} MB: " + ", ".join(f"{name} {size / 1e6:.0f}" for name, size in largest)
            + ")")


def _improvements(data: dict[str, Any]) -> list[str]:
    """What is under way, and how many ideas wait for their turn."""
    rows = [(each["id"], each["status"], each["kind"], each["title"], _until(data["proofs"].get(each["id"])))
            for each in data["improvements"] if each["status"] not in (*_DONE, *_IDEAS)]
    ideas = sum(data["counts"].get(status, 0) for status in _IDEAS)
    headings = ("improvement", "status", "kind", "what", "proof counts until")
    lines = [table(headings, rows) or "No improvement is under way."]
    return [*lines, f"{ideas} more ideas wait for their turn: 'aiimprove findings' lists them."] if ideas else lines


def _until(proof: dict[str, float] | None) -> str:
    return moment(proof["until"]) if proof else "-"


def _next(data: dict[str, Any]) -> str:
    counts = data["counts"]
    if counts.get("AWAITING_APPROVAL"):
        waiting = next(each["id"] for each in data["improvements"] if each["status"] == "AWAITING_APPROVAL")
        button = f", or the button at {data['live_url']}" if data["button"] else ""
        return f"Next: your answer to {waiting} ('aiimprove show {waiting}'{button})."
    if not data["live_release"]:
        return "Next: 'aiimprove up' puts the commit of HEAD live."
    if not data["running"]:
        return "Next: nothing by itself, since the loop does not run ('aiimprove up', or 'aiimprove run --once')."
    return "Next: the loop looks again within minutes; nothing waits for you."


def _git(workspace: Any, data: dict[str, Any]) -> list[str]:
    """What of the user's own tree is not live, and how to catch up."""
    live = data["live_commit"]
    tree = workspace.repository.working_tree()
    if not live:
        return []
    lines = [f"Live is commit {live[:12]} ({workspace.repository.subject(live)})."]
    if tree.uncommitted:
        shown = ", ".join(tree.uncommitted[:5]) + (" ..." if len(tree.uncommitted) > 5 else "")
        lines.append(f"Not live, because not committed: {shown}")
    ahead, behind = (workspace.repository.count_between(*pair) for pair in ((live, tree.head), (tree.head, live)))
    lines += _settings(workspace)
    if ahead:
        lines.append(f"{ahead} of your commits are not live: 'aiimprove deploy HEAD' ships them.")
    if behind:
        lines.append(f"Your {tree.branch or 'HEAD'} is {behind} commits behind live: 'git merge aiimprove/live' "
                     "catches up.")
    return lines


def _settings(workspace: Any) -> list[str]:
    """What of the config the live release does not have yet, since it was changed after."""
    from aiimprove import build
    from aiimprove.errors import NotFound

    try:
        changed = build.changed(workspace.config, workspace.live())
    except NotFound:
        return []
    return [f"Not live, because changed since: {', '.join(changed)}. 'aiimprove deploy aiimprove/live' ships "
            "that."] if changed else []


def _machine(workspace: Any) -> list[str]:
    box = workspace.box.name
    return [f"Foreign code runs in: {box}" + ("" if box != "none" else
            " (nothing here can hold it: code of a candidate could act as you)")]
