import socket

import pytest

from library.fetcher import Fetcher, FetchFailed
from library.guard import AddressRefused, Guard, is_public


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.1.2.3", "0.0.0.0", "10.1.2.3", "100.64.0.1", "169.254.169.254", "172.31.255.255", "192.0.0.8",
     "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.19.0.1", "203.0.113.7", "224.0.0.1", "255.255.255.255",
     "168.63.129.16", "::", "::1", "::ffff:8.8.8.8", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1",
     "2001::1", "2001:db8::1", "2002:7f00:1::", "3fff::1", "fc00::1", "fe80::1%eth0", "fec0::1", "ff02::1", "name", ""],
)  # fmt: skip
def test_addresses_that_lead_inside(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "172.32.0.1", "192.0.1.1", "2606:4700::1", "2a00:1450::1"])
def test_addresses_of_the_public_internet(address: str) -> None:
    assert is_public(address)


def test_one_inner_address_among_public_ones_is_enough_to_refuse() -> None:
    with pytest.raises(AddressRefused):
        Guard(resolve=lambda host, port: ["8.8.8.8", "10.0.0.1"]).addresses("mixed.example", 80)


def test_only_the_named_host_and_port_may_be_inside() -> None:
    guard = Guard(frozenset({"localhost:8123"}), resolve=lambda host, port: ["127.0.0.1"])
    assert guard.addresses("LOCALHOST", 8123) == ["127.0.0.1"]
    for host, port in (("localhost", 8124), ("other", 8123)):
        with pytest.raises(AddressRefused):
            guard.addresses(host, port)


def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    """A name that answers differently the second time must not get a second time."""
    answers = iter([["8.8.8.8"], ["127.0.0.1"]])
    connected: list[tuple[str, int]] = []

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        connected.append(address)
        raise ConnectionRefusedError("no network in tests")

    fetcher = Fetcher(Guard(resolve=lambda host, port: next(answers)), connect=connect)
    with pytest.raises(FetchFailed, match="no network"):
        fetcher.get("http://rebinding.example/")
    assert connected == [("8.8.8.8", 80)]
    with pytest.raises(FetchFailed, match="not a public address"):
        fetcher.get("https://rebinding.example/")
    assert connected == [("8.8.8.8", 80)]


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "http://2130706433/", "http://[::1]/", "http://0x7f.0.0.1/"])
def test_loopback_in_any_spelling_is_refused_before_connecting(url: str) -> None:
    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        raise AssertionError("connected")

    with pytest.raises(FetchFailed):
        Fetcher(Guard(), connect=connect).get(url)
