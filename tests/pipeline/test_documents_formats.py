"""Markup, source code, configuration, notebooks, subtitles, older Office files and messages."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from fuzz.seeds.formats import ods
from fuzz.seeds.ole import msg

from retriton_pipeline.documents import Document, FilePart, load_document, load_documents
from retriton_pipeline.errors import UnreadableDocument
from tests.conftest import ROOT

OLDER_FILES = ROOT / "fuzz" / "seeds" / "files"


def read(folder: Path, name: str, content: str | bytes) -> Document:
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return load_document(folder / name)


def texts(document: Document) -> list[str]:
    """The texts of the blocks, headings with as many number signs as their level."""
    return [f"{'#' * block.heading_level} {block.text}".strip() for block in document.blocks]


def test_restructured_text_keeps_what_sphinx_adds_and_includes_no_file(tmp_path: Path) -> None:
    text = """
Manual
======

See :ref:`the map <map>` and :class:`~harbour.Boat`.

.. a comment
.. versionadded:: 2.1
   The berth fee.

.. py:function:: moor(boat)
   :noindex:

   Moors a boat.

.. code-block:: python
   :linenos:

   moor(1)

.. list-table::
   :header-rows: 1

   * - Boat
     - Fee
   * - Canoe
     - 12

.. include:: /etc/passwd
.. toctree::

   other
"""
    assert texts(read(tmp_path, "a.rst", text)) == [
        "# Manual",
        "See the map and harbour.Boat.",
        "New in version 2.1: The berth fee.",
        "moor(boat)",
        "Moors a boat.",
        "```\nmoor(1)\n```",
        "| Boat | Fee |\n|---|---|\n| Canoe | 12 |",
    ]


def test_asciidoc(tmp_path: Path) -> None:
    text = """= Manual
Ann Lee
:release: 3

Release {release}, see https://example.org/x[the map] and <<fees,Fees>>.

// a comment
////
another
////
== Fees

* Bread

[cols="1,1"]
|===
|Boat |Fee

|Canoe
|12
|===

[source]
----
= no heading
----
"""
    document = read(tmp_path, "a.adoc", text)
    assert (document.title, document.metadata) == ("Manual", {"author": "Ann Lee"})
    assert texts(document) == [
        "# Manual",
        "Release 3, see the map and Fees.",
        "## Fees",
        "- Bread",
        "| Boat | Fee |\n|---|---|\n| Canoe | 12 |",
        "= no heading",
    ]


def test_org(tmp_path: Path) -> None:
    text = """#+TITLE: Manual
# a comment
* TODO Fees :money:
:PROPERTIES:
:ID: 1
:END:
See [[https://example.org][the map]].
| Boat | Fee |
|------+-----|
| Canoe | 12 |
#+begin_src sh
* no headline
#+end_src
"""
    document = read(tmp_path, "a.org", text.replace("* no headline", "moor"))
    assert document.title == "Manual"
    assert texts(document) == ["# TODO Fees", "See the map.", "| Boat | Fee |\n|---|---|\n| Canoe | 12 |", "moor"]


def test_latex(tmp_path: Path) -> None:
    text = r"""\documentclass{article}\title{Manual}\author{Ann Lee}\newcommand{\boat}{canoe}
\begin{document}\maketitle
\section{Fees} % a comment
A \boat{} costs \textbf{12}, caf\'e at 5\,\%.\footnote{Each.}
\begin{itemize}\item Bread\item Map\end{itemize}
\begin{tabular}{lr}\toprule Boat & Fee \\ \midrule Canoe & 12 \\ \end{tabular}
\begin{verbatim}
raw % code
\end{verbatim}
\begin{equation}a = \frac{b}{c}\end{equation}
\end{document}"""
    document = read(tmp_path, "a.tex", text)
    assert (document.title, document.metadata) == ("Manual", {"author": "Ann Lee"})
    assert texts(document) == [
        "## Fees",
        "A canoe costs 12, café at 5 %.[Each.]",
        "- Bread\n- Map",
        "| Boat | Fee |\n|---|---|\n| Canoe | 12 |",
        "raw % code",
        "\\begin{equation}a = \\frac{b}{c}\\end{equation}",
    ]


def test_xml_labels_fields_and_resolves_no_external_entity(tmp_path: Path) -> None:
    text = """<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>
<catalog><title>Parts</title>
<part sku="F-220"><name>Filter&e;</name><price>12</price><description>Fits <b>all</b> pumps.</description></part>
<chapter><title>Care</title><para>Clean it <emphasis>often</emphasis>.</para></chapter></catalog>"""
    document = read(tmp_path, "a.xml", text)
    assert [block.replace("&e;", "") for block in texts(document)] == [
        "# Parts", "name: Filter\nprice: 12", "Fits all pumps.", "## Care", "Clean it often.",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "code", "headings"),
    [
        (
            "a.py",
            "import x\n\n# why\n@d\nclass A(B):\n    def f(self):\n        g()\n\ndef g():\n    pass\n",
            ["# A", "## f", "# g"],
        ),
        ("a.ts", "export function f(a: string) {\n  g()\n}\nexport class A {\n}\n", ["# f", "# A"]),
        ("a.go", "package a\n\nfunc F(a int) int {\n  return G(a)\n}\n\ntype T struct {}\n", ["# F", "# T"]),
        ("a.rs", "pub fn f(a: i32) -> i32 { g!(a) }\nstruct S {}\n", ["# f", "# S"]),
        ("a.java", "public class A {\n  public int f(int x) { return g(x); }\n}\n", ["# A", "## f"]),
        ("a.c", "/* why */\nint f(int a)\n{\n  return g(a);\n}\n", ["# f"]),
        ("a.sql", "CREATE TABLE a (x int);\ncreate or replace view b as select 1;\n", ["# a", "# b"]),
        ("a.yaml", "# why\nname: x\nservices:\n  crane:\n    image: y\n", ["# services"]),
        ("a.toml", "[a.b]\nc = 1 # why\n", ["# a.b"]),
    ],
)  # fmt: skip
def test_code_is_split_along_definitions_and_kept(tmp_path: Path, name: str, code: str, headings: list[str]) -> None:
    document = read(tmp_path, name, code)
    assert [text for text in texts(document) if text in headings] == headings
    kept = "\n".join(block.text for block in document.blocks if not block.heading_level)
    assert kept.split() == code.split()


def test_comments_and_decorators_belong_to_what_follows(tmp_path: Path) -> None:
    document = read(tmp_path, "a.py", "x = 1\n\n# why\n@d\ndef f():\n    pass\n")
    assert texts(document) == ["x = 1", "# f", "# why\n@d\ndef f():\n    pass"]


def test_minified_code_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableDocument, match="minified"):
        read(tmp_path, "a.js", "var a=1;" * 2_000)


def test_notebook(tmp_path: Path) -> None:
    outputs = [
        {"output_type": "stream", "text": ["1\n"]},
        {"output_type": "execute_result", "data": {"text/plain": "42", "image/png": "AAAA"}},
    ]
    cells = [
        {"cell_type": "markdown", "source": ["# Tides\n", "High ![x](data:image/png;base64,AAAA)water."]},
        {"cell_type": "code", "source": "print(1)", "outputs": outputs},
    ]
    document = read(tmp_path, "a.ipynb", json.dumps({"nbformat": 4, "metadata": {}, "cells": cells}))
    assert texts(document) == ["# Tides", "High ![x]()water.", "print(1)", "1\n\n42"]


def test_subtitles_are_paragraphs_with_times_and_repeated_lines_once(tmp_path: Path) -> None:
    srt = "1\n00:00:01,000 --> 00:00:03,000\nThe <i>quay</i>\n\n2\n00:00:03,100 --> 00:00:05,000\nis closed.\n\n"
    assert texts(read(tmp_path, "a.srt", srt + "3\n00:01:05,000 --> 00:01:07,000\nLater.\n")) == [
        "[00:00:01] The quay is closed.", "[00:01:05] Later.",
    ]  # fmt: skip
    vtt = "WEBVTT\n\nNOTE no\n\n00:01.000 --> 00:03.000\n<v Bob>Hello.\n\n00:03.000 --> 00:05.000\nHello.\nThe quay.\n"
    assert texts(read(tmp_path, "a.vtt", vtt)) == ["[00:00:01] Bob: Hello. The quay."]


def older(folder: Path, suffix: str) -> Document:
    return read(folder, f"a{suffix}", gzip.decompress((OLDER_FILES / f"harbour{suffix}.gz").read_bytes()))


def test_older_word_file(tmp_path: Path) -> None:
    document = older(tmp_path, ".doc")
    assert (document.title, document.metadata["author"]) == ("Harbour rules", "A. Person")
    assert texts(document) == [
        "# Harbour rules",
        "The quay is closed at night. Grüße über €30 — “quoted”.",
        "## Fees",
        "- Bread\n- Map",
        "| Boat | Fee | Note |\n|---|---|---|\n| Canoe | 12 | per day |\n| Ferry | 340 | per call |",
        "After the table.",  # and no hidden text
    ]


def test_older_powerpoint_file(tmp_path: Path) -> None:
    assert texts(older(tmp_path, ".ppt")) == [
        "# Tides",
        "High water at 6.\nLow water at noon.",
        "Notes: Say why the moon.",
        "# Table",
        "| Boat | Fee |\n|---|---|\n| Canoe | 12 € |",
    ]


def test_older_excel_file_is_read_as_displayed_without_its_hidden_sheet(tmp_path: Path) -> None:
    assert texts(older(tmp_path, ".xls")) == [
        "# Rates",
        "| Name | Rate | Day | Price | Part | On |\n|---|---|---|---|---|---|\n"
        "| Loan A | 6.17% | 04.03.2031 | $1,599.50 | 000471 | TRUE |\n"
        "| Loan B | 5.00% | 04.04.2031 | -$20.00 | 000472 | FALSE |",
        "# Merged",
        "| Region | 2030 plan | 2030 actual | 2031 plan | 2031 actual |\n|---|---|---|---|---|\n"
        "| North | 1 | 2 | 3 | 4 |\n| South | 5 | 6 | 7 | 8 |",
    ]


def test_ods(tmp_path: Path) -> None:
    assert texts(read(tmp_path, "a.ods", ods())) == ["# Rates", "| 2030 | 2030 |\n|---|---|\n| plan | 6.17% |"]


def test_outlook_message(tmp_path: Path) -> None:
    document = read(tmp_path, "a.msg", msg("Crane", "The crane failed.\r\n\r\nCall Bob."))
    assert (document.title, document.metadata) == ("Crane", {"from": '"Ann" <ann@example.org>'})
    assert texts(document) == ["The crane failed.", "Call Bob."]


@pytest.mark.parametrize("suffix", [".xyz", ""])
def test_the_reason_for_other_formats_is_short(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"a{suffix}").write_text("x")
    (unreadable,) = load_documents(FilePart(tmp_path / f"a{suffix}"))
    assert not isinstance(unreadable, Document)
    assert unreadable.reason in ("files of type .xyz are not supported", "files without a suffix are not supported")
