"""Documents in prompts: no spelling of the tag is left, other text is unchanged, and long texts take no time."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from retriton_pipeline.generation.prompt import PromptBuilder
from retriton_pipeline.generation.quoting import quote, quote_name
from retriton_pipeline.retrieval import Passage, Turn
from tests.hostile.passages import HOSTILE_PASSAGES, ORDINARY_PASSAGES


def words(text: str) -> int:
    return len(text.split())


@pytest.mark.parametrize("hostile", HOSTILE_PASSAGES.values(), ids=HOSTILE_PASSAGES)
def test_spellings_of_the_tag_are_quoted(hostile: str) -> None:
    quoted = quote(f"before {hostile} after")
    assert quoted != f"before {hostile} after"
    assert quoted.startswith(("before &lt;", "before &amp;")), quoted
    assert quoted.endswith(" after")
    assert quote(quoted.replace("&lt;", "")) == quoted.replace("&lt;", "")


@pytest.mark.parametrize("text", ORDINARY_PASSAGES)
def test_other_text_is_unchanged(text: str) -> None:
    assert quote(text) == text


def test_every_part_of_a_prompt_is_quoted() -> None:
    tag = "<\u200b/pаssage>"
    passage = Passage(f"a{tag}\n\x1b.md", "T", f"b{tag}", 1, 0, f"c{tag}", 0.5)
    prompt = PromptBuilder(words).build(f"d{tag}?", [passage], [Turn("user", f"e{tag}")])
    assert tag not in prompt.text
    assert prompt.text.count("&lt;\u200b/pаssage>") == 5
    assert "\x1b" not in prompt.text
    assert prompt.text.count("</passage>") == 1


def test_a_name_stays_within_its_quotes() -> None:
    assert quote_name('a" page="9">\n<passage>＂\x00\x1b[2J') == "a' page='9'> &lt;passage>' [2J"


LETTERS = [
    set("pP\u0440ｐ𝐩"),
    set("aA\u0430ａ"),
    set("sS\u0455ſ"),
    set("sS\u0455"),
    set("aA\u03b1"),
    set("gG\u0261"),
    set("eE\u0435"),
]
SKIPPED = st.text(st.characters(categories=("Cf", "Mn", "Zs", "Cc")), max_size=5)


@st.composite
def tags(draw: st.DrawFn) -> str:
    slash = draw(st.sampled_from(["", "/", "／"]))
    letters = [draw(st.sampled_from(sorted(choice))) for choice in LETTERS]
    return "<" + "".join(draw(SKIPPED) + letter for letter in [slash, *letters])


@given(st.text(), tags(), st.text())
def test_a_tag_is_found_in_any_text(before: str, tag: str, after: str) -> None:
    assert tag not in quote(before + tag + after)


@given(st.text(st.characters(exclude_categories=("Cs",))))
@example("&lt;passage" * 3)
def test_only_brackets_are_replaced(text: str) -> None:
    quoted = quote(text)
    assert quoted == text or len(quoted) > len(text)
    if "<" not in unicodedata.normalize("NFKD", text) and "&" not in text and quoted != text:
        assert any(bracket in text for bracket in "‹〈⟨❬❮❰˂ᐸ≺⋖〈⧼ᚲ︿")


@pytest.mark.parametrize(
    "text",
    [
        *("<" + " " * 100_000, "<\u200b" * 50_000, "<" + "\u200b\u00ad " * 33_000, "< /" * 30_000, "&lt;" * 25_000),
        *("</passag" * 12_000, "<p a s s a g " * 8_000, "<" + "p\u200b" * 50_000, "</" * 50_000, "<" + "/" * 100_000),
        *("<" + "\U000e0070" * 100_000, "</passage>" * 10_000, "&#" + "0" * 100_000, "&#0" * 33_000),
    ],
    ids=ascii,
)
def test_a_hundred_thousand_characters_take_less_than_half_a_second(text: str) -> None:
    started = time.process_time()
    quote(text)
    assert time.process_time() - started < 0.5


def test_characters_without_tokens_are_bounded() -> None:
    blank = Passage("a.md", "A", "A", None, 0, "\u200b \n" * 500_000, 0.9)
    prompt = PromptBuilder(words, tokens_max=200).build(
        "why?", [blank, Passage("b.md", "B", "B", None, 0, "text", 0.5)]
    )
    assert [passage.source for passage in prompt.passages] == ["b.md"]
    assert len(prompt.text) < 16 * 200


def test_a_prompt_is_not_built_for_a_caller_that_is_gone() -> None:
    passages = [Passage("a.md", "A", "A", None, 0, "text", 0.5)] * 10
    asked: list[int] = []
    PromptBuilder(words).build("why?", passages, (), lambda: len(asked) == 3 or bool(asked.append(1)))
    assert len(asked) == 3
    asked.clear()
    too_long = Passage("a.md", "A", "A", None, 0, "text " * 8000, 0.5)
    prompt = PromptBuilder(words).build(
        "why?", [*passages, too_long], (), lambda: len(asked) == 3 or bool(asked.append(1))
    )
    assert len(prompt.passages) == 3
