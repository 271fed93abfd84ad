from __future__ import annotations

import re
import subprocess
import sys
import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retriton_pipeline.chunking import Chunk, ChunkSize, chunk_document
from retriton_pipeline.documents import Block, Document
from retriton_pipeline.errors import PipelineError
from retriton_pipeline.tokens import TokenCounter
from tests.conftest import ROOT
from tests.tokenizers import minilm_encoder

WORDS = st.sampled_from(
    [
        "vector",
        "query.",
        "naïve",
        "向量",
        "a",
        "Über",
        "x" * 300,
        "." * 150,
        "向量检索" * 60,
        "reranking!",
        "12,5",
        "\n",
    ]
)
BLOCKS = st.lists(
    st.builds(
        lambda words, level, verbatim: Block(" ".join(words).strip() or "x", level, None, verbatim and not level),
        st.lists(WORDS, min_size=1, max_size=60),
        st.sampled_from([0, 0, 0, 1, 2]),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)


@pytest.fixture(scope="module")
def counter() -> TokenCounter:
    return TokenCounter(minilm_encoder())


def chunks(counter: TokenCounter, blocks: list[Block], tokens: int = 96, overlap: int = 0) -> list[Chunk]:
    return chunk_document(Document("source", "Title", tuple(blocks), ""), counter, ChunkSize(tokens, overlap))


def squeezed(texts: list[str]) -> str:
    return "".join("".join(texts).split())


@settings(max_examples=60, deadline=None)
@given(BLOCKS)
def test_nothing_is_lost_and_every_chunk_fits(counter: TokenCounter, blocks: list[Block]) -> None:
    made = chunks(counter, blocks)
    assert squeezed([chunk.text for chunk in made]) == squeezed([block.text for block in blocks])
    assert all(counter.count_passage(chunk.embedded_text) <= 96 for chunk in made)
    assert [chunk.index for chunk in made] == list(range(len(made)))


@settings(max_examples=60, deadline=None)
@given(BLOCKS, st.sampled_from([0, 20]))
def test_overlap_and_separator_restore_the_document(counter: TokenCounter, blocks: list[Block], overlap: int) -> None:
    made = chunks(counter, [*blocks, table(30)], overlap=overlap)
    whole = "".join(f"{chunk.separator}{chunk.text[chunk.overlap :]}" for chunk in made)
    assert squeezed([whole]) == squeezed([block.text for block in [*blocks, table(30)]])
    assert whole.endswith(table(30).text[-200:])  # rows stay rows
    assert made[0].overlap == 0


def test_the_memory_to_split_a_large_text_is_limited(counter: TokenCounter) -> None:
    text = " ".join(f"word{n}" for n in range(40_000))
    tracemalloc.start()
    made = chunks(counter, [Block(text)], tokens=256)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert squeezed([chunk.text for chunk in made]) == squeezed([text])
    assert peak < 60 * len(text)


def test_a_large_text_is_counted_in_little_memory() -> None:
    code = (
        "import resource; from tests.tokenizers import minilm_encoder\n"
        "from retriton_pipeline.tokens import TokenCounter\n"
        "counter = TokenCounter(minilm_encoder()); counter.count('x')\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "print(counter.count(',x' * 500_000), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    tokens, kibibytes = map(int, found.stdout.split())
    assert tokens == 1_000_000
    assert kibibytes < 100 * 1024


def test_sentences_stay_whole_and_overlap(counter: TokenCounter) -> None:
    sentences = [f"This is the sentence with the number {n} in a longer paragraph." for n in range(20)]
    made = chunks(counter, [Block(" ".join(sentences))], tokens=96, overlap=20)
    assert len(made) > 3
    for first, second in pairwise(made):
        assert first.text.endswith(".")
        assert second.text.startswith(first.text.rsplit(". ", 1)[-1])


def test_headings_start_chunks_and_are_the_context(counter: TokenCounter) -> None:
    text = "Words that fill the section with something to say about its topic. " * 3
    blocks = [Block("Top", 1), Block(text), Block("Left", 2), Block(text), Block("Right", 2), Block(text)]
    made = chunks(counter, blocks)
    assert [chunk.context for chunk in made] == ["Title", "Title > Top", "Title > Top"]
    assert [chunk.text.split("\n")[0] for chunk in made] == ["Top", "Left", "Right"]
    assert made[1].embedded_text.startswith("Title > Top\nLeft")


def test_small_sections_share_a_chunk(counter: TokenCounter) -> None:
    blocks = [block for n in range(4) for block in (Block(f"Heading {n}", 2), Block("Short."))]
    assert len(chunks(counter, blocks)) == 1


def test_a_chunk_has_one_page(counter: TokenCounter) -> None:
    blocks = [Block(f"Text on page {page}.", page=page) for page in (1, 1, 2, 3)]
    assert [chunk.page for chunk in chunks(counter, blocks)] == [1, 2, 3]


def test_a_word_with_too_many_tokens_is_split(counter: TokenCounter) -> None:
    made = chunks(counter, [Block("QUJD" * 20_000)])
    assert all(len(chunk.text) < 96 * 17 for chunk in made)


@pytest.mark.parametrize(("tokens", "overlap"), [(64, 40), (64, -1)])
def test_invalid_overlaps_are_rejected(tokens: int, overlap: int) -> None:
    with pytest.raises(PipelineError, match="overlap"):
        ChunkSize(tokens, overlap)


def test_chunks_without_room_for_text_are_rejected(counter: TokenCounter) -> None:
    with pytest.raises(PipelineError, match="leave no room"):
        chunks(counter, [Block("text")], tokens=24)


@pytest.mark.parametrize("text", ["." * 20_000, "-" * 5000, "向量检索" * 500, "a. " * 5000, "|---|" * 300])
def test_texts_without_words_are_split_in_linear_time(counter: TokenCounter, text: str) -> None:
    assert squeezed([chunk.text for chunk in chunks(counter, [Block(text)], tokens=64)]) == squeezed([text])


def table(rows: int, cell: str = "a value") -> Block:
    header = "| Name of the plan | Cost |\n|---|---|"
    lines = [f"| Plan {n} | {cell} {n} |" for n in range(rows)]
    return Block("\n".join([header, *lines]), verbatim=True, header=header)


@pytest.mark.parametrize("overlap", [0, 24])
def test_every_chunk_of_a_table_has_its_header_and_whole_rows(counter: TokenCounter, overlap: int) -> None:
    block = table(60)
    made = chunks(counter, [Block("Before it."), block, Block("After it.")], tokens=96, overlap=overlap)
    assert len(made) > 5
    assert made[0].text.startswith(f"Before it.\n\n{block.header}\n| Plan 0 |")
    rows = block.text.splitlines()[2:]
    for chunk in made[1:]:
        assert chunk.text.startswith(f"{block.header}\n| Plan ")
        assert chunk.text.count(block.header) == 1
    shown = [line for chunk in made for line in chunk.text.splitlines() if line.startswith("| Plan")]
    assert list(dict.fromkeys(shown)) == rows
    assert (len(shown) > len(rows)) == (overlap > 0)
    assert all(counter.count_passage(chunk.embedded_text) <= 96 for chunk in made)


def test_a_row_with_too_many_tokens_is_split_and_keeps_the_header(counter: TokenCounter) -> None:
    block = table(3, cell="word " * 150)
    made = chunks(counter, [block], tokens=96)
    assert all(chunk.text.startswith(block.header) for chunk in made)
    assert all(counter.count_passage(chunk.embedded_text) <= 96 for chunk in made)
    assert "".join(chunk.text for chunk in made).count("word") == 450


def wide_table(columns: int, rows: int) -> Block:
    header = "| " + " | ".join(f"Depth {n}" for n in range(columns)) + " |\n|" + "---|" * columns
    lines = ["| " + " | ".join(f"{row} m" for _ in range(columns)) + " |" for row in range(rows)]
    return Block("\n".join([header, *lines]), verbatim=True, header=header)


def test_a_header_that_is_too_long_is_repeated_without_its_rule(counter: TokenCounter) -> None:
    made = chunks(counter, [wide_table(9, 20)], tokens=128)
    assert len(made) > 3
    assert all(chunk.text.startswith("| Depth 0 | Depth 1 |") and "---" not in chunk.text for chunk in made)
    assert sum(chunk.text.count("\n") for chunk in made) >= 20


def test_values_carry_their_names_where_a_header_does_not_fit(counter: TokenCounter) -> None:
    made = chunks(counter, [wide_table(40, 5)], tokens=96)
    text = "\n".join(chunk.text for chunk in made)
    assert all(f"Depth {column}: {row} m" in text for column in range(40) for row in range(5))
    assert all(re.match(r"Depth 0: \d m; Depth \d+: ", chunk.text) for chunk in made)
    assert all(counter.count_passage(chunk.embedded_text) <= 96 for chunk in made)


def test_names_that_would_outgrow_the_values_are_not_repeated(counter: TokenCounter) -> None:
    header = f"| {'word ' * 2000} | b |\n|---|---|"
    block = Block("\n".join([header, *(f"| {n} | 1 |" for n in range(100))]), verbatim=True, header=header)
    assert squeezed([chunk.text for chunk in chunks(counter, [block], tokens=96, overlap=0)]) == squeezed([block.text])


def test_a_table_header_is_followed_by_a_row(counter: TokenCounter) -> None:
    for words in range(40):  # that leave room of any size in the first chunk
        made = chunks(counter, [Block("word " * words), table(6)], tokens=96)
        assert not any(chunk.text.endswith("---|") for chunk in made)
