from __future__ import annotations

import asyncio
import copy
import enum
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from retriton_client import AsyncClient, Client, InvalidRequest, Limits, Retry, Tls
from tests.client.scripted_server import running

NOWHERE = "127.0.0.1:9"
FRAME = pd.DataFrame({"text": ["a", "b"]})


@pytest.fixture(scope="module")
def scripted() -> Iterator[str]:
    with running(lambda texts, number: None) as (url, _):
        yield url


@pytest.fixture(scope="module")
def client(scripted: str) -> Iterator[Client]:
    with Client(scripted) as connected:
        yield connected


TEXTS: dict[str, Any] = {
    "tuple": ("a", "bc"),
    "array of str": np.array(["a", "bc"]),
    "array of objects": np.array(["a", "bc"], object),
    "series": pd.Series(["a", "bc"], index=[7, 3]),
    "index": pd.Index(["a", "bc"]),
    "string dtype": pd.array(["a", "bc"], dtype="string"),
    "values": {1: "a", 2: "bc"}.values(),
    "subclass": [np.str_("a"), "bc"],
}


@pytest.mark.parametrize("texts", TEXTS.values(), ids=TEXTS)
def test_every_ordered_iterable_of_strings_is_texts(client: Client, texts: Any) -> None:
    expected = [[1, ord("a")], [2, ord("b")]]
    assert client.embed_queries(texts).tolist() == expected
    assert client.embed_passages(text for text in texts).tolist() == expected
    assert client.embed(iter(texts), "query").vectors.tolist() == expected
    assert client.rerank("query", texts).scores.tolist() == [1, 2]


async def test_the_async_client_takes_them_too(scripted: str) -> None:
    async with AsyncClient(scripted) as client:
        for texts in TEXTS.values():
            assert (await client.embed_queries(texts))[:, 0].tolist() == [1, 2]
            assert (await client.rerank("query", (text for text in texts))).scores.tolist() == [1, 2]


NO_TEXTS: dict[str, tuple[Any, str]] = {
    "str": ("a string", "not 'a string'"),
    "bytes": (b"abc", "not b'abc'"),
    "None": (None, "not None"),
    "number": (3, "not 3"),
    "set": ({"a"}, r"\(set\)"),
    "dict": ({"a": 1}, r"\(dict\)"),
    "no texts": ([], "not an empty one"),
    "empty array": (np.array([], str), "not an empty one"),
    "empty iterator": (iter(()), "not an empty one"),
    "scalar array": (np.array("abc"), "ndarray of 0 dimensions"),
    "matrix": (np.array([["a"], ["b"]]), "ndarray of 2 dimensions"),
    "frame": (FRAME, "DataFrame of 2 dimensions"),
}


@pytest.mark.parametrize(("texts", "told"), NO_TEXTS.values(), ids=NO_TEXTS)
def test_what_is_no_list_of_texts_is_refused_with_what_is_allowed(texts: Any, told: str) -> None:
    blocking, awaited = Client(NOWHERE), AsyncClient(NOWHERE)
    told = f"list of at least one string.*{told}"
    for call in (blocking.embed_queries, blocking.embed_passages, lambda texts: blocking.embed(texts, "query")):
        with pytest.raises(InvalidRequest, match=f"texts is a {told}"):
            call(texts)
    with pytest.raises(InvalidRequest, match=f"texts is a {told}"):
        asyncio.run(awaited.embed(texts, "query"))
    for rerank in (blocking.rerank, lambda query, passages: asyncio.run(awaited.rerank(query, passages))):
        with pytest.raises(InvalidRequest, match=f"passages is a {told}"):
            rerank("query", texts)


NO_TEXT: dict[str, tuple[Any, str]] = {
    "None": (None, "but None"),
    "NaN": (float("nan"), "but nan"),
    "missing": (pd.NA, "but <NA>"),
    "bytes": (b"bytes", "but b'bytes'"),
    "number": (3, "but 3"),
    "list": (["a"], r"but \['a'\] \(list\)"),
    "lone surrogate": ("a\ud800", "of Unicode characters: .*surrogates not allowed"),
}


@pytest.mark.parametrize(("bad", "told"), NO_TEXT.values(), ids=NO_TEXT)
def test_the_index_of_what_is_no_text_is_named(bad: Any, told: str) -> None:
    client = Client(NOWHERE, limits=Limits(texts_per_request=1))
    with pytest.raises(InvalidRequest, match=f"text 2 is not a string {told}") as caught:
        client.embed_queries(["a", "b", bad])
    assert caught.value.numbers == {"index": 2}
    with pytest.raises(InvalidRequest, match=f"passage 1 is not a string {told}") as caught:
        client.rerank("query", ["a", bad])
    assert caught.value.numbers == {"index": 1}
    with pytest.raises(InvalidRequest, match=f"the query is not a string {told}"):
        client.rerank(bad, ["a"])


def test_missing_values_of_a_series_are_named() -> None:
    with pytest.raises(InvalidRequest, match="text 1 is not a string"):
        Client(NOWHERE).embed_queries(pd.Series(["a", None, "c"]))


@pytest.mark.parametrize(
    "role", ["document", "", None, b"query", 1, ["query"], np.array(["query", "passage"])], ids=lambda role: repr(role)
)
def test_roles_are_listed(role: Any) -> None:
    with pytest.raises(InvalidRequest, match="it can be query or passage"):
        Client(NOWHERE).embed(["a"], role)


@pytest.mark.parametrize("truncate", ["MIDDLE", "", b"END", True, 1, ["END"]])
def test_values_of_truncate_are_listed(truncate: Any) -> None:
    client = Client(NOWHERE)
    for call in (client.embed_queries, client.embed_passages):
        with pytest.raises(InvalidRequest, match="it can be NONE, START, END or None"):
            call(["a"], truncate=truncate)
    with pytest.raises(InvalidRequest, match="it can be NONE, START, END or None"):
        client.rerank("a", ["b"], truncate=truncate)


@pytest.mark.parametrize(("truncate", "sent"), [(None, "NONE"), ("end", "END"), (np.str_("START"), "START")])
def test_none_is_the_default_of_truncate(truncate: Any, sent: str) -> None:
    with running(lambda texts, number: None) as (url, server), Client(url) as client:
        client.embed_queries(["a"], truncate=truncate)
        client.rerank("a", ["b"], truncate=truncate)
    assert [parameters["truncate"].string_param for _, _, parameters in server.requests] == [sent, sent]


NO_DIMENSIONS = [True, False, 8.0, "8", 2**70, -(10**5000), [8], np.float32(8), np.bool_(True)]


@pytest.mark.parametrize("dimensions", NO_DIMENSIONS, ids=lambda value: type(value).__name__)
def test_dimensions_are_an_integer(dimensions: Any) -> None:
    with pytest.raises(InvalidRequest, match="dimensions is .*it can be an integer from 1"):
        Client(NOWHERE).embed(["a"], "query", dimensions=dimensions)


@pytest.mark.parametrize("dimensions", [8, np.int64(8), np.uint8(8)])
def test_integers_of_numpy_are_dimensions(dimensions: Any) -> None:
    with running(lambda texts, number: None) as (url, server), Client(url) as client:
        client.embed(["a"], "query", dimensions=dimensions, fingerprint=np.str_("f"), caller="me")
    (_, _, parameters) = server.requests[0]
    assert parameters["dimensions"].int64_param == 8
    assert (parameters["fingerprint"].string_param, parameters["caller"].string_param) == ("f", "me")


class Named(str, enum.Enum):  # noqa: UP042 - str() of a member is its name
    QUERY = "query"
    END = "END"
    FINGERPRINT = "f"


def test_a_string_of_an_enum_is_its_value() -> None:
    with running(lambda texts, number: None) as (url, server), Client(url) as client:
        client.embed([Named.QUERY], Named.QUERY, truncate=Named.END, fingerprint=Named.FINGERPRINT)  # type: ignore[arg-type]
    (model, texts, parameters) = server.requests[0]
    assert (model, texts) == ("embed_query", [b"query"])
    assert (parameters["truncate"].string_param, parameters["fingerprint"].string_param) == ("END", "f")


@pytest.mark.parametrize("value", [b"f", 1, True, ["f"], "\ud800"])
def test_a_fingerprint_and_a_secret_are_strings(value: Any) -> None:
    with pytest.raises(InvalidRequest, match="fingerprint is"):
        Client(NOWHERE).embed(["a"], "query", fingerprint=value)
    with pytest.raises(InvalidRequest, match="secret is"):
        Client(NOWHERE).check_health(secret=value)


SECONDS = [float("inf"), float("nan"), 1e13, 10**5000, -1, 0, True, "3", None, [3], np.float64("nan")]


@pytest.mark.parametrize("timeout_s", SECONDS, ids=lambda value: f"{type(value).__name__}")
def test_a_timeout_is_a_number_in_bounds(timeout_s: Any) -> None:
    client = Client(NOWHERE)
    told = "timeout_s is .*it can be above 0 and at most 1000000000"
    with pytest.raises(InvalidRequest, match=told):
        client.check_health(timeout_s)
    for make in (Client, AsyncClient):
        with pytest.raises(InvalidRequest, match=told):
            make(NOWHERE, timeout_s=timeout_s)
    with pytest.raises(InvalidRequest, match=told):
        AsyncClient(NOWHERE).with_settings(timeout_s=timeout_s, retry=Retry())
    if timeout_s is not None:  # the client's
        with pytest.raises(InvalidRequest, match=told):
            client.embed(["a"], "query", timeout_s=timeout_s)
        with pytest.raises(InvalidRequest, match=told):
            client.rerank("a", ["b"], timeout_s=timeout_s)
        with pytest.raises(InvalidRequest, match=told):
            asyncio.run(AsyncClient(NOWHERE).embed(["a"], "query", timeout_s=timeout_s))


@pytest.mark.parametrize("timeout_s", [5, 1e9, np.float32(5), np.int64(5)])
def test_any_number_in_bounds_is_a_timeout(client: Client, timeout_s: Any) -> None:
    assert client.embed(["a"], "query", timeout_s=timeout_s).tokens.tolist() == [5]
    assert client.check_health(timeout_s)


@pytest.mark.parametrize("url", ["", None, b"127.0.0.1:9", 8001])
def test_a_url_is_a_string(url: Any) -> None:
    with pytest.raises(InvalidRequest, match="host:port"):
        Client(url)


def test_files_of_tls_that_do_not_exist_are_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"no-such\.pem cannot be read: No such file"):
        Client(NOWHERE, tls=Tls(Path("no-such.pem"))).embed_queries(["a"])
    with pytest.raises(InvalidRequest, match=f"{tmp_path} cannot be read: Is a directory"):
        Client(NOWHERE, tls=Tls(tmp_path)).embed_queries(["a"])


@pytest.mark.parametrize(
    "content", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"]
)
def test_files_of_tls_with_other_contents_are_named(content: str, tmp_path: Path) -> None:
    file = tmp_path / "file.pem"
    file.write_text(content)
    for tls in (Tls(file), Tls(certificate=file, key=file)):
        with pytest.raises(InvalidRequest, match=r"file\.pem: a file is not PEM"):
            Client(NOWHERE, tls=tls).embed_queries(["a"])


@pytest.mark.parametrize("files", [{"ca": 5}, {"certificate": b"a", "key": b"b"}, {"ca": True}, {"server_name": 5}])
def test_settings_of_tls_are_names(files: Any) -> None:
    with pytest.raises(ValueError, match="must be"):
        Tls(**files)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"tls": True}, r"tls is True, it can be Tls\(...\) or None"),
        ({"tls": "ca.pem"}, "tls is 'ca.pem'"),
        ({"tls": False}, "tls is False"),
        ({"limits": 5}, r"limits is 5, it can be Limits\(...\) or None"),
        ({"limits": {}}, r"limits is {} \(dict\)"),
        ({"retry": 3}, r"retry is 3, it can be Retry\(...\) or None"),
        ({"retry": False}, "retry is False"),
    ],
)
def test_settings_of_another_type_are_refused(settings: Any, told: str) -> None:
    for make in (Client, AsyncClient):
        with pytest.raises(InvalidRequest, match=told):
            make(NOWHERE, **settings)


@pytest.mark.parametrize("settings", [(0, 1, 1), (1, -1, 1), (1, 1, 2.5), (True, 1, 1), ("32", 1, 1), (None, 1, 1)])
def test_limits_are_positive_integers(settings: Any) -> None:
    with pytest.raises(ValueError, match="integers of at least 1"):
        Limits(*settings)


@pytest.mark.parametrize(
    "settings", [(0,), (2.5,), (True,), (1, -1), (1, float("nan")), (1, 1, float("inf")), (1, "1"), (1, None)]
)
def test_retries_are_in_bounds(settings: Any) -> None:
    with pytest.raises(ValueError, match="must be"):
        Retry(*settings)


def test_a_used_client_can_be_pickled_and_copied(client: Client, scripted: str) -> None:
    client.embed_queries(["a"])
    used = Client(scripted, timeout_s=7, limits=Limits(3), retry=Retry(2), tls=None)
    used.embed_queries(["a"])
    for other in (pickle.loads(pickle.dumps(used)), copy.copy(used._client), copy.deepcopy(used)):
        settings = getattr(other, "_client", other)
        assert (settings.url, settings.timeout_s, settings._limits.texts_per_request) == (scripted, 7, 3)
        assert settings._retry.attempts_max == 2
        if isinstance(other, Client):
            assert other.embed_queries(["abc"]).tolist() == [[3, 97]]
            other.close()
    used.close()


def test_a_second_event_loop_can_use_the_client_after_the_first(scripted: str) -> None:
    client = AsyncClient(scripted, limits=Limits(1, 1))
    for _ in range(3):
        assert asyncio.run(client.embed_queries(["a", "b"])).shape == (2, 2)
    asyncio.run(client.close())


def test_a_second_event_loop_beside_the_first_is_refused(scripted: str) -> None:
    client = AsyncClient(scripted)
    first = asyncio.new_event_loop()
    first.run_until_complete(client.embed_queries(["a"]))
    with pytest.raises(InvalidRequest, match="in use in another event loop"):
        asyncio.run(client.embed_queries(["a"]))
    with pytest.raises(InvalidRequest, match="in use in another event loop"):
        asyncio.run(client.close())
    first.run_until_complete(client.close())
    assert asyncio.run(client.embed_queries(["a"])).shape == (1, 2)
    asyncio.run(client.close())
    first.close()
