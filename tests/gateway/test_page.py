"""The page, in a headless Chromium."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.chat_endpoint import Says
from tests.gateway.browsing import LOOKS, QUESTION, browser, visit
from tests.gateway.conftest import ANSWER, SAMPLES, Gateway, running, upload

pytestmark = [pytest.mark.triton, pytest.mark.milvus]
__all__ = ["browser", "visit"]  # fixtures

KUMQUAT = "The kumquat <img src=x onerror=alert(1)> is a small citrus fruit, eaten with its peel."
DROP = """files => {
    const carried = new DataTransfer();
    for (const [name, text] of files) carried.items.add(new File([text], name));
    for (const type of ["dragover", "drop"]) {
        document.body.dispatchEvent(new DragEvent(type, {dataTransfer: carried, bubbles: true, cancelable: true}));
    }
}"""


@pytest.fixture(scope="module")
def ours(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway whose documents and LLM these tests may change."""
    with running(url, tmp_path_factory.mktemp("page")) as started:
        with started.client() as http:
            upload(http, "documents", SAMPLES)
        yield started


@pytest.fixture
def saying(ours: Gateway) -> Iterator[Callable[[Says], Gateway]]:
    """Our gateway, with an LLM that says something else."""

    def say(says: Says) -> Gateway:
        ours.llm.behaviours[:] = [says]
        return ours

    yield say
    ours.llm.behaviours[:] = [ANSWER]


def test_a_question_is_answered_from_passages(gateway, visit):
    visited = visit(gateway)
    visited.ask()
    visited.wait_for_answer()
    expect(visited.turn.locator(".answer")).to_have_text("Two lanes keep queries fast [1].")
    first = visited.turn.get_by_role("listitem", name="Passage 1, serving.md")
    expect(first.get_by_text("cited", exact=True)).to_be_visible()
    expect(first.locator(".score")).to_have_text(re.compile(r"score \d\.\d{4}"))
    assert set(first.locator(".scores dt").all_inner_texts()) >= {"bm25", "dense"}
    assert {word.lower() for word in first.locator("mark").all_inner_texts()} == {"two", "lane", "lanes"}
    expect(visited.turn.locator(".card.cited")).to_have_count(1)
    expect(visited.turn.locator("pre")).to_be_hidden()
    visited.turn.get_by_text("Prompt", exact=True).click()
    expect(visited.turn.locator("pre")).to_contain_text(f"Question: {QUESTION}")


def test_it_tells_where_the_milliseconds_went(gateway, visit):
    visited = visit(gateway)
    visited.ask()
    visited.wait_for_answer()
    told = dict(line.split("\n", 1) for line in visited.turn.locator(".stages dl > div").all_inner_texts())
    spent = {stage: float(ms.removesuffix(" ms").replace(",", "")) for stage, ms in told.items()}
    total = spent.pop("total")
    assert {"embed", "search", "assemble", "first piece"} <= spent.keys()
    assert sum(spent.values()) == pytest.approx(total, rel=0.1)
    assert visited.turn.locator(".bar span").count() == len(spent)


def test_long_passages_are_folded(gateway, visit):
    visited = visit(gateway)
    visited.ask()
    button = visited.turn.get_by_role("button", name="Show all").first
    text = visited.turn.locator(".text").first
    before = text.bounding_box()["height"]
    button.click()
    expect(visited.turn.get_by_role("button", name="Show less")).to_have_attribute("aria-expanded", "true")
    assert text.bounding_box()["height"] > before


def test_a_conversation_goes_on(saying, visit):
    gateway = saying(ANSWER)
    visited = visit(gateway)
    visited.ask()
    visited.wait_for_answer()
    visited.ask("And what about batches?")
    visited.wait_for_answer()
    expect(visited.turn.get_by_role("heading", level=2)).to_have_text("And what about batches?")
    expect(visited.page.get_by_role("article").first.locator(".card").first).to_be_hidden()
    prompt = gateway.llm.asked[-1]["messages"][-1]["content"]
    assert f"user: {QUESTION}" in prompt
    assert "assistant: Two lanes keep queries fast [1]." in prompt
    visited.page.get_by_role("button", name="New conversation").click()
    expect(visited.page.get_by_role("article")).to_have_count(0)


def test_the_settings_are_sent(gateway, visit):
    visited = visit(gateway)
    expect(visited.page.get_by_label("Collection", exact=True)).to_have_value("documents")
    visited.page.get_by_label("Passages").fill("2")
    visited.page.get_by_label("Search by").select_option("Words")
    visited.page.get_by_label("Filter").fill('source == "serving.md"')
    with visited.page.expect_request("**/v1/chat/completions") as sent:
        visited.ask()
    asked = sent.value.post_data_json["retrieval"]
    assert (asked["collection"], asked["top_k"], asked["mode"]) == ("documents", 2, "bm25")
    assert (asked["rerank"], asked["filter"]) == (False, 'source == "serving.md"')
    visited.wait_for_answer()
    expect(visited.page.get_by_label("Rerank")).to_be_hidden()


def test_a_reranker_can_be_chosen_where_there_is_one(gateway, visit):
    visited = visit(gateway, "ERR_FAILED")
    visited.serve_models("embedding", "reranking")
    visited.page.get_by_label("Rerank").check()
    with visited.page.expect_request("**/v1/retrieve") as sent:
        visited.page.route("**/v1/retrieve", lambda route: route.abort())
        visited.ask()
    assert sent.value.post_data_json["rerank"] is True
    expect(visited.alert).to_have_text("The gateway does not answer.")


def test_without_an_llm_passages_and_prompt_are_shown(gateway, visit):
    visited = visit(gateway)
    visited.serve_models("embedding")
    expect(visited.page.get_by_text("no LLM: passages and prompt only")).to_be_visible()
    visited.ask()
    visited.wait_for_answer()
    expect(visited.turn.locator(".card").first).to_be_visible()
    expect(visited.turn.locator("pre")).to_contain_text(QUESTION)
    expect(visited.turn.locator(".stages")).to_contain_text("total")


def test_a_key_is_asked_for(gateway, visit):
    visited = visit(gateway, "401", with_key=False)
    dialog = visited.page.get_by_role("dialog", name="API key")
    key = dialog.get_by_label("Key", exact=True)
    expect(key).to_be_focused()
    assert visited.violations() == ""
    key.fill("rt-wrong")
    key.press("Enter")
    expect(dialog.get_by_role("alert")).to_have_text("The gateway does not know this key.")
    key.fill(gateway.key)
    key.press("Enter")
    expect(dialog).to_be_hidden()
    expect(visited.page.get_by_text("serving.md")).to_be_visible()
    assert visited.page.evaluate("[localStorage.length, document.cookie, location.href]") == [0, "", f"{gateway.url}/"]
    visited.page.get_by_role("button", name="Forget the API key").click()
    expect(dialog).to_be_visible()
    assert visited.page.evaluate("sessionStorage.length") == 0
    dialog.get_by_role("button", name="Cancel").click()
    expect(visited.alert).to_contain_text("API key")


def test_a_dropped_document_is_found_and_deleted(saying, visit):
    visited = visit(saying(Says((f"{KUMQUAT} [1]",))))
    page = visited.page
    name = "<img src=x onerror=alert(2)>.txt"
    expect(page.get_by_text("serving.md")).to_be_visible()
    page.evaluate(DROP, [[name, KUMQUAT], ["broken.pdf", "no PDF"]])
    job = page.get_by_role("list", name="Uploads").get_by_role("listitem").first
    expect(job).to_contain_text("1 added, 1 skipped; 1 chunk.")
    expect(job).to_contain_text("broken.pdf: ")
    expect(page.get_by_role("list", name="Documents")).to_contain_text(name)
    visited.ask("What is a kumquat?")
    visited.wait_for_answer()
    expect(visited.turn.locator(".answer")).to_contain_text(KUMQUAT)
    expect(visited.turn.locator(".text").first).to_contain_text(KUMQUAT)
    assert page.locator("img").count() == 0
    page.get_by_role("button", name=f"Delete {name}").click()
    assert visited.violations() == ""
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name=f"Delete {name}")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("list", name="Documents")).not_to_contain_text(name)
    assert page.evaluate("document.activeElement.textContent") in ("Delete", "Add documents")


def test_a_collection_is_made_with_its_first_document(ours, visit):
    visited = visit(ours)
    visited.page.get_by_label("Collection", exact=True).select_option("New collection…")
    name = visited.page.get_by_label("Name of the new collection")
    expect(name).to_be_focused()
    name.fill("fruit")
    visited.page.locator("#files").set_input_files(
        {"name": "kumquat.txt", "mimeType": "text/plain", "buffer": KUMQUAT.encode()}
    )
    expect(visited.page.get_by_role("list", name="Documents")).to_have_text(re.compile("kumquat.txt"))
    expect(visited.page.get_by_label("Collection", exact=True)).to_have_value("fruit")


def test_an_answer_can_be_stopped(saying, visit):
    gateway = saying(Says(("again ",) * 200, gap_s=0.05))
    gateway.llm.left.clear()
    visited = visit(gateway)
    visited.ask()
    expect(visited.turn.locator(".answer")).to_contain_text("again again")
    visited.page.keyboard.press("Escape")
    visited.wait_for_answer()
    expect(visited.turn.get_by_text("Stopped.")).to_be_visible()
    expect(visited.question).to_be_focused()
    assert gateway.llm.left.wait(20)


def test_an_answer_that_breaks_off_says_so(saying, visit):
    visited = visit(saying(Says(("Two lanes ",), breaks=True)))
    visited.ask()
    expect(visited.alert).to_have_text(re.compile(r"LLM.*\(request [0-9a-f]{32}\)"))
    expect(visited.turn.get_by_text("The answer is not complete.")).to_be_visible()
    expect(visited.turn.locator(".card").first).to_be_visible()


def test_a_refusal_is_shown_and_the_question_kept(gateway, visit):
    visited = visit(gateway, "429")
    told = {"error": {"message": "too much to do", "type": "rate_limit_error", "param": None, "code": "overloaded"}}
    headers = {"Retry-After": "7", "X-Request-ID": "the-id"}
    visited.page.route(
        "**/v1/chat/completions", lambda route: route.fulfill(status=429, headers=headers, body=json.dumps(told))
    )
    visited.ask()
    expect(visited.alert).to_have_role("alert")
    expect(visited.alert).to_have_text("too much to do. The gateway asks to wait 7 seconds. (request the-id)")
    expect(visited.question).to_have_value(QUESTION)
    expect(visited.page.get_by_role("article")).to_have_count(0)
    assert visited.violations() == ""


def test_the_keyboard_is_enough(gateway, visit):
    visited = visit(gateway)
    page = visited.page
    expect(page.get_by_text("serving.md")).to_be_visible()
    expect(visited.question).to_be_focused()
    tab_to(page, "Shift+Tab", page.get_by_role("link", name="Skip to the question"))
    page.keyboard.press("Enter")
    expect(visited.question).to_be_focused()
    page.keyboard.type("Why are there")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("two lanes?")
    page.keyboard.press("Enter")
    expect(visited.turn.get_by_role("heading", level=2)).to_have_text("Why are there\ntwo lanes?")
    visited.wait_for_answer()
    tab_to(page, "Shift+Tab", visited.turn.get_by_role("link", name="passage 1"))
    page.keyboard.press("Enter")
    expect(visited.turn.get_by_role("listitem", name="Passage 1, serving.md")).to_be_focused()
    tab_to(page, "Tab", visited.question)
    tab_to(page, "Tab", page.get_by_role("button", name="Delete serving.md"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Delete serving.md")).to_be_focused()


def test_a_screen_reader_hears_sentences(saying, visit):
    pieces = tuple("Short questions have a lane of their own [1]. They do not wait behind the bulk. ".split(" ")[:-1])
    gateway = saying(Says(tuple(f"{piece} " for piece in pieces), gap_s=0.05))
    visited = visit(gateway)
    visited.page.evaluate("""() => {
        window.heard = [];
        const news = document.getElementById("news");
        new MutationObserver(() => window.heard.push(news.textContent)).observe(news, {childList: true});
    }""")
    expect(visited.page.get_by_role("status")).to_have_count(1)
    visited.ask()
    visited.wait_for_answer()
    *before, last = visited.page.evaluate("window.heard")
    assert before[0] == "Searching…"
    assert re.fullmatch("[45] passages found. Waiting for the answer…", before[1])
    assert "own [1]." in " ".join(before)
    assert last.endswith("The answer is complete, and cites 1 passage.")
    assert len(before) < 6


@pytest.mark.parametrize("looks", LOOKS)
def test_it_is_accessible(looks, gateway, visit):
    visited = visit(gateway, looks=looks)
    expect(visited.page.get_by_text("serving.md")).to_be_visible()
    assert visited.violations() == ""
    for question in (QUESTION, "And what is nDCG?"):
        visited.ask(question)
        visited.wait_for_answer()
    visited.turn.get_by_text("Prompt", exact=True).click()
    assert visited.violations() == ""
    width = LOOKS[looks]["viewport"]["width"]
    assert visited.page.evaluate("document.documentElement.scrollWidth") <= width


def tab_to(page: Page, key: str, target: Locator, steps_max: int = 60) -> None:
    """Goes from one element to the next until ``target`` has the focus, which must be seen."""
    for _ in range(steps_max):
        page.keyboard.press(key)
        if target.evaluate("element => element === document.activeElement"):
            assert target.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"
            return
    pytest.fail(f"{target} is not reached")
