"""Addresses that gRPC would misread are refused before a call waits for them."""

from __future__ import annotations

import enum

import pytest

from retriton_client import AsyncClient, Client, InvalidRequest


class Url(str, enum.Enum):  # noqa: UP042 - str() of a member is its name
    SERVER = "127.0.0.1:8001"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://127.0.0.1:8001", "the address of a website"),
        ("https://a:8001/v2", "the address of a website"),
        ("grpc://a:8001", "the address of a website"),
        ("a:8001/", "not host:port"),
        ("a:8001/v2", "not host:port"),
        ("a:8001?x=1", "not host:port"),
        ("me@a:8001", "not host:port"),
        ("a :8001", "not host:port"),
        ("a b:8001", "not host:port"),
        ("a:8001\0", "not host:port"),
        ("a:", "not host:port"),
        (":8001", "not host:port"),
        ("a:grpc", "not host:port"),
        ("::1:8001", r"\[IPv6 address\]:port"),
        ("[::1]", "not host:port"),
        ("127.0.0.1", "has no port"),
        ("localhost", "has no port"),
        ("a:8001,b", "has no port"),
        ("a:0", "ports are from 1 to 65535"),
        ("a:65536", "ports are from 1 to 65535"),
        ("dns://a:8001", "the third slash of dns:///"),
    ],
)
def test_wrong_addresses_are_refused_with_the_right_forms(url: str, told: str) -> None:
    for make in (Client, AsyncClient):
        with pytest.raises(InvalidRequest, match=told) as caught:
            make(url)
        assert "it can be host:port" in str(caught.value)


@pytest.mark.parametrize(
    "url", ["a:1", "127.0.0.1:65535", "[::1]:8001", "[fe80::1%eth0]:8001", "a.b-c_d:80", "dns:///a:1", "unix:/tmp/s"]
)
def test_every_form_of_grpc_is_accepted(url: str) -> None:
    assert Client(url).url == url


def test_spaces_around_addresses_are_ignored_and_an_enum_is_its_value() -> None:
    AsyncClient(" a:1 , b:1\n")
    assert Client(Url.SERVER).url == "127.0.0.1:8001"
