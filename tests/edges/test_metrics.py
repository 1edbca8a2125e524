"""The metrics of a real site: counted through its gateway, over rotations and restarts, read back by a parser."""

from __future__ import annotations

import http.client
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parsed
from tiny import Tiny

from aiimprove.openmetrics import CONTENT_TYPE
from aiimprove.process import free_ports
from aiimprove.shim.kept import Kept

Found = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tiny]:
    tiny = Tiny(tmp_path_factory.mktemp("metrics"))
    port = free_ports(1)[0]
    tiny.edit("config.toml", 'name = "tiny"', f'name = "tiny"\nmetrics_port = {port}')
    tiny.commit({})
    said = tiny.call("up", "--without-loop", "--json")
    assert said.exit_code == 0, said
    yield tiny
    tiny.call("down")


def ask(tiny: Tiny, path: str = "/metrics", **headers: str) -> tuple[int, str, str]:
    port = tiny.config().metrics_port
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    said = answer.status, answer.headers["Content-Type"], answer.read().decode()
    connection.close()
    return said


def read(tiny: Tiny) -> Found:
    status, _, page = ask(tiny)
    assert status == 200, page
    return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in parsed(page) for sample in family.samples}


def value(found: Found, name: str, **labels: str) -> float:
    return sum(each for (what, have), each in found.items() if what == name and set(labels.items()) <= set(have))


def visit(tiny: Tiny, path: str, times: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", tiny.live_port, timeout=10)
    for _ in range(times):
        connection.request("GET", path)
        connection.getresponse().read()
    connection.close()


def until(tiny: Tiny, name: str, wanted: float, **labels: str) -> Found:
    """The metrics once a figure is there: Caddy writes its log a moment after the answer, and who was killed is back
    a moment later."""
    deadline, found = time.monotonic() + 15, Found()
    while value(found, name, **labels) < wanted and time.monotonic() < deadline:
        with suppress(OSError):
            found = read(tiny)
        time.sleep(0.05)
    assert value(found, name, **labels) == wanted
    return found


def test_what_visitors_got(site: Tiny) -> None:
    site.call("health", "--json")
    before = read(site)
    requests = value(before, "aiimprove_requests_total", environment="live")
    visit(site, "/notes", 7)
    visit(site, "/no-such-page", 3)
    found = until(site, "aiimprove_requests_total", requests + 10, environment="live")
    release = site.call("status", "--json").data["live_release"]
    of_it = {"environment": "live", "service": "app", "release": release}
    assert value(found, "aiimprove_requests_total", **of_it, **{"class": "4xx"}) >= 3
    assert value(found, "aiimprove_request_seconds_bucket", **of_it, le="+Inf") == value(
        found, "aiimprove_requests_total", **of_it)
    assert value(found, "aiimprove_live_info", release=release) == 1
    assert value(found, "aiimprove_deployments_total", result="committed") == 1
    assert value(found, "aiimprove_part_ok", part="live") == 1 and value(found, "aiimprove_health_score") > 0
    assert value(found, "aiimprove_state_bytes", part="data") > 0 and value(found, "aiimprove_loop_running") == 0


def test_the_page_is_what_the_standard_wants(site: Tiny) -> None:
    status, kind, page = ask(site)
    assert (status, kind) == (200, CONTENT_TYPE) and page.endswith("\n# EOF\n")
    assert ask(site, "/metrics?name=x")[0] == 200 and ask(site, "/")[0] == 404
    assert ask(site, Host="evil.example.org")[0] == 421


def test_it_listens_for_this_machine_only(site: Tiny) -> None:
    port = f":{site.config().metrics_port:04X}"
    listening = [row.split()[1] for row in Path("/proc/net/tcp").read_text().splitlines()[1:] if row.split()[3] == "0A"]
    assert [each for each in listening if each.endswith(port)] == [f"0100007F{port}"]
    assert port not in Path("/proc/net/tcp6").read_text()


def test_counters_never_go_back(site: Tiny) -> None:
    """Over a rotation of the log as Caddy does it, over kill -9, and with what came while nobody counted."""
    first = read(site)
    requests = value(first, "aiimprove_requests_total", environment="live")
    log = site.state / "logs" / "gateway.log"
    visit(site, "/notes", 4)
    until(site, "aiimprove_requests_total", requests + 4, environment="live")
    exporter = Kept(site.state / "run" / "keep-metrics")
    before = exporter.state().program
    assert before
    visit(site, "/notes", 5)
    before.signal(signal.SIGKILL)
    before.wait(5)
    content = log.read_bytes()
    log.rename(log.with_name("gateway-2026-01-01T00-00-00.000.log"))
    log.write_bytes(content.splitlines(keepends=True)[-1])
    after = until(site, "aiimprove_requests_total", requests + 4 + 5 + 1, environment="live")
    back = [key for key, each in first.items() if key[0].endswith(("_total", "_bucket", "_count", "_sum"))
            and after.get(key, 0) < each]
    assert back == [] and exporter.state().program != before


def test_the_command_says_the_same(site: Tiny) -> None:
    data = site.call("metrics", "--json").data
    assert data["url"] == f"http://127.0.0.1:{site.config().metrics_port}/metrics"
    names = {family.name for family in parsed(data["text"])}
    assert names == {family.name for family in parsed(ask(site)[2])}


def test_it_survives_down_and_another_port(site: Tiny) -> None:
    requests = value(read(site), "aiimprove_requests_total")
    port = free_ports(1)[0]
    site.edit("config.toml", f"metrics_port = {site.config().metrics_port}", f"metrics_port = {port}")
    assert site.call("up", "--without-loop", "--json").exit_code == 0
    until(site, "aiimprove_requests_total", requests)
    site.edit("config.toml", f"metrics_port = {port}", "metrics_port = 0")
    assert site.call("up", "--without-loop", "--json").exit_code == 0
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), 1)
