"""Foreign text on terminals: no control character is printed, other text is unchanged."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retriton.commands import COMMANDS
from retriton_pipeline.cli.escaping import visible, visible_json, visible_lines
from retriton_pipeline.cli.main import run
from retriton_pipeline.cli.output import print_json, print_passages
from retriton_pipeline.retrieval import Passage

HOSTILE = [
    *(
        "\x1b[2J\x1b[H",
        "\x1b]0;title\x07",
        "\x1b]8;;http://x\x1b\\link",
        "\x9b31m",
        "\x9d0;t\x9c",
        "\x1bP+q\x1b\\",
        "\x1bc",
    ),
    *("a\rb", "a\x08b", "\x7f", "\x00", "\u202egnp.exe", "\u2066x\u2069", "\u2028", "\x85", "\ud800", "\x0b\x0c\x1c"),
]


def printable(text: str) -> bool:
    return not any(
        ord(letter) < 32 or 127 <= ord(letter) < 160 or letter in "\u202e\u2066\u2028\ud800" for letter in text
    )


@pytest.mark.parametrize("hostile", HOSTILE, ids=ascii)
def test_passages_and_json_hold_no_control_characters(hostile: str, capsys: pytest.CaptureFixture[str]) -> None:
    passage = Passage(f"a{hostile}\n[2] 1.0 forged.md", "T", "c", 2, 0, f"text {hostile} end", 0.5)
    print_passages([passage])
    out = capsys.readouterr().out
    assert len(out.splitlines()) == 2
    assert all(map(printable, out.split("\n")))
    print_json({"name": hostile, "text": "é"})
    out = capsys.readouterr().out
    assert printable(out.removesuffix("\n"))
    assert json.loads(out) == {"name": hostile, "text": "é"}


def test_errors_hold_no_control_characters_and_no_line_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(COMMANDS["search"], ["x", "--milvus", "a\x1b[2J\nok: done\x9b.db"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("error: ")
    assert all(printable(line) and not line.startswith("ok") for line in lines)


@given(st.text())
def test_nothing_but_control_characters_is_changed(text: str) -> None:
    assert printable(visible(text))
    if text.isprintable():
        assert visible(text) == visible_lines(text) == text
    assert json.loads(visible_json(json.dumps(text, ensure_ascii=False))) == text


def test_lines_emoji_and_joiners_are_kept() -> None:
    assert visible_lines("a\n\tb 👩\u200d🔬 é नमस्ते") == "a\n\tb 👩\u200d🔬 é नमस्ते"
    assert visible("a\nb\tc\x1b") == r"a\nb\tc\x1b"
