"""Fill an empty library from the demo site of the running service, through its API."""

import argparse
import json
import sys
import threading
import time
import urllib.request
from typing import Any

POLL_SECONDS = 0.25


def main() -> int:
    """List <base>/demo/ as a source and crawl it. Exit code 1 when the service or the crawl fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", default="http://127.0.0.1:8000", help="address of the running service")
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds to wait for the crawl")
    parser.add_argument("--again", action="store_true", help="crawl every listed source, also when there are some")
    arguments = parser.parse_args()
    base = arguments.base.rstrip("/")
    try:
        return collect(base, arguments.again, time.monotonic() + arguments.timeout)
    except (OSError, ValueError) as error:
        print(f"{base} did not answer as expected: {error}", file=sys.stderr)
        return 1


def collect(base: str, again: bool, deadline: float) -> int:
    sources = call(base, "GET", "/api/sources")
    if sources and not again:
        print(f"nothing to do: {len(sources)} sources are listed already (--again crawls them)")
        return 0
    sources = sources or [call(base, "POST", "/api/sources", {"url": f"{base}/demo/"})]
    asked = [call(base, "POST", f"/api/sources/{source['id']}/crawl")["id"] for source in sources]
    crawls = finished(base, set(asked), deadline)
    for crawl in crawls:
        report(crawl)
    if len(crawls) < len(asked):
        print(f"{len(asked) - len(crawls)} crawls were not over in time", file=sys.stderr)
    return 0 if len(crawls) == len(asked) and all(crawl["status"] == "done" for crawl in crawls) else 1


def finished(base: str, asked: set[int], deadline: float) -> list[Any]:
    """The crawls that were over before the deadline, a moment of `time.monotonic`."""
    pause = threading.Event()
    while True:
        crawls = [crawl for crawl in call(base, "GET", "/api/crawls") if crawl["id"] in asked]
        over = [crawl for crawl in crawls if crawl["status"] in ("done", "failed")]
        if len(over) == len(asked) or time.monotonic() > deadline:
            return over
        pause.wait(POLL_SECONDS)


def report(crawl: dict[str, Any]) -> None:
    print(
        f"{crawl['url']}: {crawl['status']}, {crawl['pages']} pages read, {crawl['added']} videos added, "
        f"{crawl['updated']} updated, {crawl['skipped']} pages skipped for robots.txt, {crawl['failed']} failed"
    )
    for error in crawl["errors"]:
        print(f"  {error['url']}: {error['error']}")


def call(base: str, method: str, path: str, body: object = None) -> Any:
    request = urllib.request.Request(base + path, method=method, headers={"Content-Type": "application/json"})
    request.data = json.dumps(body).encode() if body is not None else None
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


if __name__ == "__main__":
    raise SystemExit(main())
