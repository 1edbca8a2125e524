from __future__ import annotations

from typing import Annotated

import typer

from commands.options import Json, at_terminal, opened
from commands.output import answer

WithoutLoop = Annotated[bool, typer.Option("--without-loop", help="Do not start the loop: for cron and timers, "
                                           "which call 'aiimprove run --once'.")]
AsUnit = Annotated[bool, typer.Option("--as-unit", help="What serves belongs to the control group of this call, "
                                      "whoever starts it later: for the unit of live.")]


def add_to(app: typer.Typer) -> None:
    app.command()(up)


def up(without_loop: WithoutLoop = False, as_unit: AsUnit = False, json: Json = False) -> None:
    """Start everything that does not run yet.

    The gateway, live, dev and the loop. What runs already is adopted, not restarted. The first time, the commit of
    HEAD is built and put live. Refused (exit 3) when a port is taken, before anything is started. Prints the addresses
    and, when it started something or a person sits at the terminal, a link that signs a browser in as operator (works
    once, within ten minutes).
    """
    from aiimprove import operators, system
    from commands.operator import OWNER
    from commands.stamp import content

    workspace = opened("up", may_migrate=True)
    started = system.up(workspace, loop=not without_loop, unit=as_unit)
    urls = content(workspace.config)
    data = {"started": started.something, "live_release": started.live, "dev_release": started.dev,
            "live_url": urls["live_url"], "dev_url": urls["dev_url"], "operator_link": None}
    lines = [f"Live  {urls['live_url']}  (release {started.live})", f"Dev   {urls['dev_url']}  (release {started.dev})"]
    if workspace.config.approvals and (started.something or at_terminal(workspace)):
        secret = operators.link(workspace.store, OWNER, "up")
        data["operator_link"] = f"{urls['live_url']}/#operator={secret}"
        lines += ["Sign in as operator (works once, within 10 minutes):", f"  {data['operator_link']}"]
    answer(data, *lines, *started.notes)
