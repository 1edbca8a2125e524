import gzip
import shutil
import socket
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from conftest import Site

from library.fetcher import USER_AGENT, Fetcher, FetchFailed, Limits
from library.guard import Guard
from library.robots import Disallowed


def test_a_page(site: Site, fetcher: Fetcher) -> None:
    site.page("/a?b=1", "hello")
    document = fetcher.get(f"{site.base}/a?b=1")
    assert (document.status, document.body, document.content_type) == (200, b"hello", "text/html")
    assert fetcher.get(f"{site.base}/none").status == 404


def test_the_crawler_says_who_it_is(site: Site, fetcher: Fetcher) -> None:
    seen: list[str | None] = []

    def look(request: BaseHTTPRequestHandler) -> None:
        seen.append(request.headers["User-Agent"])
        request.send_response(204)
        request.end_headers()

    site.answers["/"] = look
    fetcher.get(f"{site.base}/")
    assert seen == [USER_AGENT]


def test_redirects_are_followed_and_each_hop_is_asked_for(site: Site, fetcher: Fetcher) -> None:
    site.answers["/old"] = (301, {"Location": "new"}, b"")
    site.page("/new", "here")
    hops: list[str] = []
    document = fetcher.get(f"{site.base}/old", hops.append)
    assert document.url == f"{site.base}/new"
    assert hops == [f"{site.base}/old", f"{site.base}/new"]

    def refuse_new(url: str) -> None:
        if url.endswith("/new"):
            raise Disallowed(url)

    site.asked.clear()
    with pytest.raises(Disallowed):
        fetcher.get(f"{site.base}/old", refuse_new)
    assert site.asked == ["/old"]


@pytest.mark.parametrize("target", ["http://169.254.169.254/latest", "http://localhost:1/", "file:///etc/passwd", ""])
def test_a_redirect_cannot_lead_inside(site: Site, fetcher: Fetcher, target: str) -> None:
    site.answers["/"] = (302, {"Location": target}, b"")
    with pytest.raises(FetchFailed):
        fetcher.get(f"{site.base}/")


def test_redirects_end(site: Site, fetcher: Fetcher) -> None:
    site.answers["/"] = (302, {"Location": "/"}, b"")
    with pytest.raises(FetchFailed, match="redirects"):
        fetcher.get(f"{site.base}/")
    assert len(site.asked) == 6


def test_bodies_are_bounded_also_when_unpacked(site: Site, fetcher: Fetcher) -> None:
    site.page("/large", "x" * 60_000)
    site.answers["/bomb"] = (200, {"Content-Encoding": "gzip"}, gzip.compress(bytes(30_000_000)))
    site.answers["/packed"] = (200, {"Content-Encoding": "gzip"}, gzip.compress(b"small"))
    for path in ("/large", "/bomb"):
        with pytest.raises(FetchFailed, match="larger"):
            fetcher.get(site.base + path)
    assert fetcher.get(f"{site.base}/packed").body == b"small"


def drip(request: BaseHTTPRequestHandler, stop: threading.Event) -> None:
    """One byte now and then: every single read is quick, the whole never ends."""
    request.send_response(200)
    request.end_headers()
    while not stop.wait(0.05):
        try:
            request.wfile.write(b".")
        except OSError:
            return


def test_a_dripping_page_is_cut_off(site: Site) -> None:
    fetcher = Fetcher(Guard(frozenset({site.host})), Limits(seconds=0.5))
    stop = threading.Event()
    site.answers["/"] = lambda request: drip(request, stop)
    begun = time.monotonic()
    with pytest.raises(FetchFailed, match=r"within 0\.5 s"):
        fetcher.get(f"{site.base}/")
    assert time.monotonic() - begun < 4
    stop.set()


def test_an_abort_ends_the_transfer_at_once(site: Site, fetcher: Fetcher) -> None:
    stop = threading.Event()
    site.answers["/"] = lambda request: drip(request, stop)
    begun = time.monotonic()
    threading.Timer(0.1, fetcher.abort).start()
    with pytest.raises(FetchFailed, match="stopped"):
        fetcher.get(f"{site.base}/")
    assert time.monotonic() - begun < 4
    stop.set()


def test_what_does_not_speak_http_is_a_failure(fetcher: Fetcher, site: Site) -> None:
    def babble(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"\x00\x01\x02 nonsense\r\n\r\n")
        request.connection.shutdown(socket.SHUT_RDWR)

    site.answers["/"] = babble
    with pytest.raises(FetchFailed):
        fetcher.get(f"{site.base}/")


def test_a_host_without_an_address_is_a_failure() -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise socket.gaierror("no such host")

    with pytest.raises(FetchFailed, match="no such host"):
        Fetcher(Guard(resolve=resolve)).get("http://missing.example/")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_tls_trusts_only_who_can_prove_the_name(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=site.example"]
    names = ["-addext", "subjectAltName=DNS:site.example", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*make, *names], check=True, capture_output=True, timeout=30)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    site.server.socket = context.wrap_socket(site.server.socket, server_side=True)
    port = site.host.split(":")[1]
    allowed = frozenset({f"site.example:{port}", f"other.example:{port}"})
    fetcher = Fetcher(Guard(allowed, resolve=lambda host, port: ["127.0.0.1"]))
    site.page("/", "proven")
    with pytest.raises(FetchFailed, match="certificate"):
        fetcher.get(f"https://site.example:{port}/")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert fetcher.get(f"https://site.example:{port}/").body == b"proven"
    with pytest.raises(FetchFailed, match=r"other\.example"):
        fetcher.get(f"https://other.example:{port}/")
