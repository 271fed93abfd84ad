"""OpenAI's files, vector stores and responses, with OpenAI's own client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from openai.types.responses import ResponseFileSearchToolCall, ResponseOutputMessage

from retriton_pipeline.gateway import new_key
from tests.gateway.conftest import ANSWER, SAMPLES, Gateway, running, until, upload

pytestmark = [pytest.mark.triton, pytest.mark.milvus]
TEA = b"Tea is grown in Assam. The leaves are picked by hand."
BREAD = b"Bread is baked from flour, water and salt."


@pytest.fixture(scope="module")
def alone(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway for tests that keep files in it."""
    with running(url, tmp_path_factory.mktemp("files")) as gateway:
        yield gateway


@pytest.fixture
def sdk(alone: Gateway) -> Iterator[openai.OpenAI]:
    with client_of(alone) as client:
        yield client


def client_of(gateway: Gateway, key: str | None = None) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=key or gateway.key, max_retries=0)


def add(sdk: openai.OpenAI, store: str, name: str, content: bytes, **attributes: Any) -> str:
    """Uploads a file, and waits until it can be found."""
    found = sdk.vector_stores.files.upload_and_poll(
        vector_store_id=store, file=(name, content), attributes=attributes, poll_interval_ms=50
    )
    assert (found.status, found.last_error) == ("completed", None)
    return found.id


def names(sdk: openai.OpenAI, store: str, query: str | list[str] = "where is tea grown?", **options: Any) -> list[str]:
    return [hit.filename for hit in sdk.vector_stores.search(store, query=query, **options)]


@pytest.fixture(scope="module")
def drinks(alone: Gateway) -> tuple[str, dict[str, str]]:
    """The id of a vector store with three files, and their ids by name."""
    with client_of(alone) as sdk:
        store = sdk.vector_stores.create(name="drinks", metadata={"team": "kitchen"}).id
        files = {
            "tea.md": add(sdk, store, "tea.md", TEA, kind="drink", year=2024, hot=True),
            "bread.txt": add(sdk, store, "bread.txt", BREAD, kind="food", year=2020.5, hot=False),
            "coffee.txt": add(sdk, store, "coffee.txt", b"Coffee is grown in Ethiopia.", kind='the "best" drink'),
        }
    return store, files


def test_a_file_is_kept_listed_fetched_and_deleted(sdk: openai.OpenAI) -> None:
    before = len(list(sdk.files.list(purpose="user_data")))
    file = sdk.files.create(file=("a/tea.md", TEA), purpose="user_data")
    assert (file.object, file.filename, file.bytes, file.purpose) == ("file", "tea.md", len(TEA), "user_data")
    assert sdk.files.retrieve(file.id) == file
    assert sdk.files.content(file.id).read() == TEA
    assert sdk.files.wait_for_processing(file.id) == file
    timed = sdk.files.create(
        file=("b.md", BREAD), purpose="user_data", expires_after={"anchor": "created_at", "seconds": 3600}
    )
    assert timed.expires_at == timed.created_at + 3600
    assert len(list(sdk.files.list(purpose="user_data"))) == before + 2
    assert list(sdk.files.list(purpose="batch")) == []
    for id_ in (file.id, timed.id):
        assert sdk.files.delete(id_).deleted
    for call in (sdk.files.retrieve, sdk.files.delete, sdk.files.content):
        with pytest.raises(openai.NotFoundError, match="there is no file") as missing:
            call(file.id)
    assert missing.value.code == "file_not_found"
    with pytest.raises(openai.UnprocessableEntityError, match="purpose"):
        sdk.files.create(file=("a.md", TEA), purpose="fun")  # type: ignore[arg-type]


def test_lists_have_pages_in_both_directions(sdk: openai.OpenAI) -> None:
    ids = [sdk.vector_stores.create(name=f"page {number}").id for number in range(5)]
    listed = [store.id for store in sdk.vector_stores.list(limit=2)]  # the client fetches one page after the other
    assert listed[:5] == ids[::-1]
    assert [store.id for store in sdk.vector_stores.list(limit=2, order="asc")][-5:] == ids
    page = sdk.vector_stores.list(limit=2, after=ids[3])
    assert [store.id for store in page.data] == [ids[2], ids[1]]
    assert page.has_more
    back = sdk.vector_stores.list(limit=2, before=ids[1])
    assert [store.id for store in back.data] == [ids[3], ids[2]]
    assert back.model_extra is not None
    assert (back.model_extra["first_id"], back.model_extra["last_id"], back.has_more) == (ids[3], ids[2], True)
    between = sdk.vector_stores.list(order="asc", after=ids[0], before=ids[3])
    assert [store.id for store in between.data] == ids[1:3]
    with pytest.raises(openai.BadRequestError, match="after is 'vs_none': the list has no such id"):
        sdk.vector_stores.list(after="vs_none")
    with pytest.raises(openai.UnprocessableEntityError, match="limit"):
        sdk.vector_stores.list(limit=101)
    for id_ in ids:
        assert sdk.vector_stores.delete(id_).deleted


def test_a_vector_store_is_created_modified_and_deleted(sdk: openai.OpenAI, alone: Gateway) -> None:
    file = sdk.files.create(file=("tea.md", TEA), purpose="assistants")
    store = sdk.vector_stores.create(
        name="mine", file_ids=[file.id], expires_after={"anchor": "last_active_at", "days": 2}, metadata={"a": "b"}
    )
    assert (store.status, store.file_counts.total, store.metadata) == ("in_progress", 1, {"a": "b"})
    assert store.expires_at == (store.last_active_at or 0) + 2 * 86_400
    until(lambda: sdk.vector_stores.retrieve(store.id).status == "completed", 60)
    changed = sdk.vector_stores.update(store.id, name="yours", metadata=None)
    assert (changed.name, changed.metadata, changed.usage_bytes) == ("yours", {"a": "b"}, len(TEA))
    with alone.client() as http:
        assert store.id not in http.get("/v1/collections").text  # it belongs to one key
        assert http.post("/v1/retrieve", json={"query": "tea", "collection": store.id}).status_code == 422
    assert names(sdk, store.id) == ["tea.md"]
    assert sdk.vector_stores.delete(store.id).deleted
    with pytest.raises(openai.NotFoundError, match="there is no vector store") as missing:
        sdk.vector_stores.search(store.id, query="tea")
    assert missing.value.code == "vector_store_not_found"
    assert sdk.files.retrieve(file.id).id == file.id  # only the vector store is gone


def test_files_are_found_by_query_and_filter(sdk: openai.OpenAI, drinks: tuple[str, dict[str, str]]) -> None:
    store, files = drinks
    first = sdk.vector_stores.search(store, query="where is tea grown?").data[0]
    assert (first.file_id, first.filename) == (files["tea.md"], "tea.md")
    assert first.attributes == {"kind": "drink", "year": 2024, "hot": True}
    assert first.content[0].text == TEA.decode()
    assert 0 <= first.score <= 1

    def filtered(kind: str, key: str, value: Any) -> set[str]:
        return set(names(sdk, store, filters={"type": kind, "key": key, "value": value}))  # type: ignore[misc,list-item]

    assert filtered("eq", "kind", "food") == {"bread.txt"}
    assert filtered("eq", "kind", 'the "best" drink') == {"coffee.txt"}
    assert filtered("ne", "kind", "food") == {"tea.md", "coffee.txt"}
    assert filtered("gt", "year", 2020.5) == {"tea.md"}
    assert filtered("gte", "year", 2020.5) == {"tea.md", "bread.txt"}
    assert filtered("lt", "year", 2021) == {"bread.txt"}
    assert filtered("lte", "year", 2024) == {"tea.md", "bread.txt"}
    assert filtered("eq", "hot", True) == {"tea.md"}
    assert filtered("in", "kind", ["food", "drink"]) == {"tea.md", "bread.txt"}
    assert filtered("nin", "kind", ["food", "drink"]) == {"coffee.txt"}
    both: Any = {
        "type": "and",
        "filters": [
            {"type": "or", "filters": [{"type": "eq", "key": "year", "value": year} for year in (2024, 2020.5)]},
            {"type": "eq", "key": "hot", "value": False},
        ],
    }
    assert names(sdk, store, filters=both) == ["bread.txt"]


def test_results_are_limited_merged_and_cut_by_score(sdk: openai.OpenAI, drinks: tuple[str, dict[str, str]]) -> None:
    store, _ = drinks
    assert len(names(sdk, store, max_num_results=1)) == 1
    merged = sdk.vector_stores.search(store, query=["where is tea grown?", "what is bread?"])
    assert {hit.filename for hit in merged.data[:2]} == {"tea.md", "bread.txt"}
    assert merged.model_extra is not None
    assert merged.model_extra["search_query"] == ["where is tea grown?", "what is bread?"]
    scores = [hit.score for hit in merged]
    assert scores == sorted(scores, reverse=True)
    above = sdk.vector_stores.search(store, query="tea", ranking_options={"ranker": "auto", "score_threshold": 0.9})
    assert [hit.filename for hit in above] == ["tea.md"]
    nothing: Any = {"ranker": None, "score_threshold": None}
    assert names(sdk, store, filters=None, max_num_results=None, ranking_options=nothing)[0] == "tea.md"


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"type": "eq", "key": "a", "value": [1]}, "eq compares 'a' with one value"),
        ({"type": "in", "key": "a", "value": 1}, "in compares 'a' with a list"),
        ({"type": "in", "key": "a", "value": [1, "b"]}, "values of one type"),
        ({"type": "and", "filters": [{"type": "eq", "key": "a", "value": 1}] * 64}, None),
        (
            {"type": "or", "filters": [{"type": "and", "filters": [{"type": "eq", "key": "a", "value": 1}] * 40}] * 2},
            "80",
        ),
        ({"type": "like", "key": "a", "value": "b"}, "type"),
    ],
)
def test_filters_that_cannot_be_applied_are_refused(
    sdk: openai.OpenAI, drinks: tuple[str, dict[str, str]], filters: Any, message: str | None
) -> None:
    if message is None:
        assert names(sdk, drinks[0], filters=filters) == []
        return
    with pytest.raises((openai.BadRequestError, openai.UnprocessableEntityError), match=message):
        sdk.vector_stores.search(drinks[0], query="tea", filters=filters)


def test_attributes_are_replaced_and_files_are_detached(sdk: openai.OpenAI) -> None:
    store = sdk.vector_stores.create(name="changing").id
    one, other = add(sdk, store, "same.txt", TEA, n=1), add(sdk, store, "same.txt", BREAD, n=2)
    assert {hit.file_id for hit in sdk.vector_stores.search(store, query="tea or bread?")} == {one, other}
    changed = sdk.vector_stores.files.update(one, vector_store_id=store, attributes={"n": 3})
    assert (changed.status, changed.attributes) == ("completed", {"n": 3})
    third: Any = {"type": "eq", "key": "n", "value": 3}
    assert [hit.file_id for hit in sdk.vector_stores.search(store, query="tea", filters=third)] == [one]
    first: Any = {"type": "eq", "key": "n", "value": 1}
    assert list(sdk.vector_stores.search(store, query="tea", filters=first)) == []
    parts = list(sdk.vector_stores.files.content(one, vector_store_id=store))
    assert [part.text for part in parts] == [TEA.decode()]
    assert sdk.vector_stores.files.delete(one, vector_store_id=store).deleted
    assert {hit.file_id for hit in sdk.vector_stores.search(store, query="tea")} == {other}
    assert sdk.files.retrieve(one).filename == "same.txt"
    sdk.files.delete(other)  # also from the vector store
    assert list(sdk.vector_stores.search(store, query="bread")) == []
    assert sdk.vector_stores.retrieve(store).file_counts.total == 0
    with pytest.raises(openai.NotFoundError, match=f"has no file '{one}'"):
        sdk.vector_stores.files.retrieve(one, vector_store_id=store)


def test_a_batch_is_ingested_and_what_fails_says_why(sdk: openai.OpenAI) -> None:
    store = sdk.vector_stores.create(name="batch").id
    ids = [
        sdk.files.create(file=(name, content), purpose="assistants").id
        for name, content in (("tea.md", TEA), ("x.png", b"\x89PNG"), ("broken.pdf", b"no PDF"), ("r.jsonl", RECORDS))
    ]
    batch = sdk.vector_stores.file_batches.create_and_poll(store, file_ids=ids, poll_interval_ms=50)
    assert batch.status == "completed"
    assert (batch.file_counts.completed, batch.file_counts.failed, batch.file_counts.total) == (2, 2, 4)
    failed = {file.id: file for file in sdk.vector_stores.files.list(store, filter="failed")}
    assert set(failed) == set(ids[1:3])
    errors = [failed[id_].last_error for id_ in ids[1:3]]
    assert [error.code for error in errors if error] == ["unsupported_file", "invalid_file"]
    assert errors[0] and "x.png: files of type .png are not supported" in errors[0].message
    listed = sdk.vector_stores.file_batches.list_files(batch.id, vector_store_id=store, order="asc", limit=3)
    assert [file.id for file in listed] == ids
    hit = sdk.vector_stores.search(store, query="which animal climbs trees?").data[0]
    assert (hit.filename, hit.content[0].text) == ("r.jsonl", "Goats climb trees.")
    assert len(list(sdk.vector_stores.files.content(ids[3], vector_store_id=store))) == 2
    own: Any = [{"file_id": ids[0], "attributes": {"a": 1}}]
    again = sdk.vector_stores.file_batches.create(store, files=own)
    assert sdk.vector_stores.file_batches.cancel(again.id, vector_store_id=store).status in ("cancelled", "completed")
    with pytest.raises(openai.BadRequestError, match="either file_ids or files"):
        sdk.vector_stores.file_batches.create(store, file_ids=[])
    with pytest.raises(openai.NotFoundError, match="there is no file 'file-none'"):
        sdk.vector_stores.file_batches.create(store, file_ids=[ids[0], "file-none"])


RECORDS = b'{"id": "one", "text": "Cows eat grass."}\n{"id": "two", "text": "Goats climb trees."}\n'


def test_chunks_have_the_size_that_is_asked_for(sdk: openai.OpenAI) -> None:
    store = sdk.vector_stores.create(name="chunks").id
    text = " ".join(f"Sentence number {number} is here." for number in range(150)).encode()
    default = add(sdk, store, "a.txt", text)
    chosen: Any = {"type": "static", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}}
    large = sdk.vector_stores.files.upload_and_poll(
        vector_store_id=store, file=("b.txt", text), chunking_strategy=chosen, poll_interval_ms=50
    )
    assert large.chunking_strategy is not None
    assert large.chunking_strategy.to_dict() == chosen
    for file in (default, large.id):
        assert [part.text for part in sdk.vector_stores.files.content(file, vector_store_id=store)] == [text.decode()]
    with pytest.raises(openai.BadRequestError, match="at most half of 100"):
        chosen["static"] = {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 51}
        sdk.vector_stores.files.create(store, file_id=default, chunking_strategy=chosen)


def test_another_key_sees_nothing(alone: Gateway, drinks: tuple[str, dict[str, str]]) -> None:
    store, files = drinks
    key, line = new_key("other")
    alone.keys_file.write_text(f"{alone.keys_file.read_text()}{line}\n")
    with client_of(alone, key) as other:
        until(lambda: _is_known(other))
        assert list(other.files.list()) == list(other.vector_stores.list()) == []
        for call in (
            lambda: other.files.content(files["tea.md"]),
            lambda: other.files.delete(files["tea.md"]),
            lambda: other.vector_stores.search(store, query="tea"),
            lambda: other.vector_stores.files.content(files["tea.md"], vector_store_id=store),
            lambda: other.vector_stores.delete(store),
            lambda: other.responses.create(model="m", input="tea?", tools=[search_of(store)]),
            lambda: other.vector_stores.files.create(other.vector_stores.create().id, file_id=files["tea.md"]),
        ):
            with pytest.raises(openai.NotFoundError):
                call()


def _is_known(sdk: openai.OpenAI) -> bool:
    try:
        sdk.files.list()
    except openai.AuthenticationError:
        return False
    return True


def search_of(*stores: str, **options: Any) -> Any:
    return {"type": "file_search", "vector_store_ids": list(stores), **options}


def test_a_response_cites_files(alone: Gateway, sdk: openai.OpenAI, drinks: tuple[str, dict[str, str]]) -> None:
    store, files = drinks
    response = sdk.responses.create(
        model="m",
        instructions="Answer in English.",
        input="where is tea grown?",
        tools=[search_of(store, max_num_results=2)],
        include=["file_search_call.results"],
        metadata={"trace": "1"},
    )
    call, message = response.output
    assert isinstance(call, ResponseFileSearchToolCall)
    assert (call.status, call.queries) == ("completed", ["where is tea grown?"])
    assert call.results is not None
    assert (call.results[0].file_id, call.results[0].text) == (files["tea.md"], TEA.decode())
    assert len(call.results) == 2
    assert isinstance(message, ResponseOutputMessage)
    assert response.output_text == "".join(ANSWER.pieces)
    (citation,) = message.content[0].annotations  # type: ignore[union-attr]
    assert citation.to_dict() == {
        "type": "file_citation",
        "file_id": files["tea.md"],
        "filename": "tea.md",
        "index": response.output_text.index("[1]"),
    }
    assert response.usage is not None
    assert (response.usage.input_tokens, response.usage.output_tokens, response.usage.total_tokens) == (7, 3, 10)
    assert (response.status, response.metadata, response.error) == ("completed", {"trace": "1"}, None)
    asked = alone.llm.asked[-1]["messages"]
    assert asked[0] == {"role": "system", "content": "Answer in English."}
    assert 'source="tea.md"' in asked[-1]["content"]
    assert TEA.decode() in asked[-1]["content"]
    without = sdk.responses.create(model="m", input="tea?", tools=[search_of(store)])
    assert without.output[0].results is None  # type: ignore[union-attr]


ORDER = [
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.file_search_call.in_progress",
    "response.file_search_call.searching",
    "response.file_search_call.completed",
    "response.output_item.done",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.delta",
    "response.output_text.annotation.added",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
]


def test_events_have_the_order_of_openai(sdk: openai.OpenAI, drinks: tuple[str, dict[str, str]]) -> None:
    asked: Any = {"model": "m", "input": "where is tea grown?", "tools": [search_of(drinks[0])]}
    events = list(sdk.responses.create(**asked, stream=True))
    assert [event.type for event in events] == ORDER
    assert [event.sequence_number for event in events] == list(range(len(ORDER)))
    whole = sdk.responses.create(**asked)
    assert events[-1].response.output_text == whole.output_text  # type: ignore[union-attr]
    with sdk.responses.stream(**asked) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    assert [kind for kind in kinds if kind in ORDER] == ORDER
    (citation,) = final.output[1].content[0].annotations  # type: ignore[union-attr]
    assert citation.filename == "tea.md"


def test_a_conversation_is_sent_as_input(
    alone: Gateway, sdk: openai.OpenAI, drinks: tuple[str, dict[str, str]]
) -> None:
    tools = [search_of(drinks[0])]
    first = sdk.responses.create(model="m", input="where is tea grown?", tools=tools)
    conversation: Any = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "input_text", "text": "where is tea grown?"}]},
        {"type": "reasoning", "id": "rs_1", "summary": []},  # of another model
        *first.output,
        {"role": "user", "content": "and who picks it?"},
    ]
    second = sdk.responses.create(model="m", input=conversation, tools=tools)
    assert second.status == "completed"
    asked = alone.llm.asked[-1]["messages"]
    assert asked[0] == {"role": "developer", "content": "Be brief."}
    assert "and who picks it?" in asked[-1]["content"]
    plain = sdk.responses.create(model="m", input=conversation, tools=tools, tool_choice="none")
    assert [item.type for item in plain.output] == ["message"]
    roles = [message["role"] for message in alone.llm.asked[-1]["messages"]]
    assert roles == ["developer", "user", "assistant", "user"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("previous_response_id", "resp_1"),
        ("background", True),
        ("conversation", "conv_1"),
        ("text", {"format": {"type": "json_schema", "name": "a", "schema": {}}}),
        ("input", [{"type": "function_call_output", "call_id": "1", "output": "2"}]),
        ("input", [{"role": "user", "content": [{"type": "input_image", "image_url": "http://a"}]}]),
    ],
)
def test_what_responses_do_not_have_is_refused_by_name(sdk: openai.OpenAI, field: str, value: Any) -> None:
    with pytest.raises(openai.BadRequestError, match=field) as refused:
        sdk.responses.create(**{"model": "m", "input": "tea?", field: value})
    assert refused.value.code == "unsupported"
    with pytest.raises(openai.UnprocessableEntityError, match=r"tools\.0\.type: .*file_search"):
        sdk.responses.create(model="m", input="tea?", tools=[{"type": "web_search"}])


@pytest.mark.parametrize(
    ("tool", "param"),
    [
        (search_of("vs_none"), "tools.1.vector_store_ids"),
        (search_of("documents", filters={"type": "in", "key": "a", "value": 1}), "tools.1.filters"),
    ],
)
def test_what_is_wrong_with_a_tool_is_called_as_in_the_request(sdk: openai.OpenAI, tool: Any, param: str) -> None:
    with pytest.raises(openai.APIStatusError) as refused:
        sdk.responses.create(model="m", input="?", tools=[search_of(sdk.vector_stores.create().id), tool])
    assert refused.value.param == param  # type: ignore[attr-defined]


def test_a_collection_is_searched_like_a_vector_store(alone: Gateway, sdk: openai.OpenAI) -> None:
    with alone.client() as http:
        upload(http, "manuals", SAMPLES)
    hits = sdk.vector_stores.search("manuals", query="why are there two lanes?").data
    assert hits[0].filename == "serving.md"
    response = sdk.responses.create(model="m", input="why are there two lanes?", tools=[search_of("manuals")])
    assert response.output[1].content[0].annotations[0].filename == "serving.md"  # type: ignore[union-attr]
    found = sdk.vector_stores.retrieve("manuals")
    assert (found.id, found.name, found.status) == ("manuals", "manuals", "completed")
    assert found.file_counts.completed == found.file_counts.total == len(SAMPLES)
    assert "manuals" not in [store.id for store in sdk.vector_stores.list()]  # it belongs to all keys
    for call in (sdk.vector_stores.retrieve, lambda id_: sdk.vector_stores.search(id_, query="a")):
        with pytest.raises(openai.NotFoundError, match="no vector store, and no collection, 'nothing'"):
            call("nothing")
    for change in (sdk.vector_stores.delete, sdk.vector_stores.update, sdk.vector_stores.files.list):
        with pytest.raises(openai.NotFoundError, match="a collection can only be retrieved and searched here"):
            change("manuals")
    with alone.client() as http:
        assert "manuals" in http.get("/v1/collections").json()["data"]


def test_files_and_vector_stores_survive_a_restart(url: str, tmp_path: Path) -> None:
    with running(url, tmp_path) as gateway, client_of(gateway) as sdk:
        store = sdk.vector_stores.create(name="kept", metadata={"a": "b"}).id
        tea = add(sdk, store, "tea.md", TEA, kind="drink")
        long = "\n\n".join(f"Paragraph {number} is about number {number}." for number in range(300)).encode()
        waiting = [sdk.files.create(file=(f"{n}.txt", long), purpose="assistants").id for n in range(2)]
        sdk.vector_stores.file_batches.create(store, file_ids=waiting)
    with running(url, tmp_path) as gateway, client_of(gateway) as sdk:  # its key is another one of the same name
        assert sdk.files.content(tea).read() == TEA
        kept = sdk.vector_stores.retrieve(store)
        assert (kept.name, kept.metadata, kept.file_counts.total) == ("kept", {"a": "b"}, 3)
        assert kept.file_counts.in_progress
        assert names(sdk, store)[0] == "tea.md"
        until(lambda: sdk.vector_stores.retrieve(store).file_counts.completed == 3, 120)
