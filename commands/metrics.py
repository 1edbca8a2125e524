from __future__ import annotations

import typer

from commands.options import Json, opened
from commands.output import answer


def add_to(app: typer.Typer) -> None:
    app.command()(metrics)


def metrics(json: Json = False) -> None:
    """What a monitoring system reads, as it is now.

    In OpenMetrics text format: answers to visitors by release, service and status, with their times; health,
    deployments, waiting improvements, the loop, sizes. With 'metrics_port' in the config, 'up' serves the same at
    127.0.0.1:PORT/metrics. Counters begin with that: until then there is nothing to count on from.
    """
    from aiimprove import openmetrics
    from aiimprove.metrics import Metrics

    workspace = opened("metrics")
    found = Metrics(workspace)
    found.read()
    text = openmetrics.text(found.families())
    port = workspace.config.metrics_port
    answer({"url": f"http://127.0.0.1:{port}/metrics" if port else None, "text": text}, text.rstrip("\n"))
