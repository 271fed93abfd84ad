"""Seeds, attacks and words of markup, source code, notebooks, subtitles, older Office files and messages."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

from fuzz.containers import ZIP
from fuzz.seeds.ole import msg

_PROSE = "The pump runs at 40 bar. Check the valve every day, and note the pressure in the log."
_FOLDER = Path(__file__).parent / "files"  # written by LibreOffice
Made = Callable[[], bytes]


def _file(name: str) -> Made:
    return lambda: gzip.decompress((_FOLDER / f"{name}.gz").read_bytes())


def _repeated(start: bytes, piece: bytes, times: int, end: bytes = b"") -> Made:
    return lambda: start + piece * times + end


def ods(rows: bytes = b"") -> bytes:
    """A sheet with a merged cell, a comment and a percentage."""
    names = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    content = (
        f'<office:document-content{names}><office:body><office:spreadsheet><table:table table:name="Rates">'
        '<table:table-row><table:table-cell table:number-columns-spanned="2"><text:p>2030</text:p></table:table-cell>'
        "<table:covered-table-cell/></table:table-row><table:table-row><table:table-cell><text:p>plan</text:p>"
        "</table:table-cell><table:table-cell><text:p>6.17%</text:p></table:table-cell></table:table-row>"
    ).encode()
    end = b"</table:table></office:spreadsheet></office:body></office:document-content>"
    mimetype = b"application/vnd.oasis.opendocument.spreadsheet"
    return ZIP.pack({"mimetype": mimetype, "content.xml": content + rows + end})


def odp(shapes: bytes = b"") -> bytes:
    """A slide with a title, a list and notes."""
    names = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{kind}:1.0"'
        for name, kind in (
            ("office", "office"),
            ("draw", "drawing"),
            ("text", "text"),
            ("presentation", "presentation"),
        )
    )
    content = (
        f"<office:document-content{names}><office:body><office:presentation><draw:page>"
        '<draw:frame presentation:class="title"><draw:text-box><text:p>Pumps</text:p></draw:text-box></draw:frame>'
        "<draw:frame><draw:text-box><text:list><text:list-item><text:p>40 bar</text:p></text:list-item></text:list>"
        f"</draw:text-box></draw:frame><presentation:notes><text:p>{_PROSE}</text:p></presentation:notes>"
    ).encode()
    end = b"</draw:page></office:presentation></office:body></office:document-content>"
    mimetype = b"application/vnd.oasis.opendocument.presentation"
    return ZIP.pack({"mimetype": mimetype, "content.xml": content + shapes + end})


def notebook() -> bytes:
    """A text cell and a code cell with output."""
    cells = [
        {"cell_type": "markdown", "source": ["# Pumps\n", _PROSE]},
        {"cell_type": "code", "source": "x = 1", "outputs": [{"output_type": "stream", "text": ["1\n"]}]},
    ]
    return json.dumps({"nbformat": 4, "metadata": {}, "cells": cells}).encode()


_EVENT = (
    b"BEGIN:VEVENT\nSUMMARY:Check of the pump\nDTSTART:20310101T100000Z\nLOCATION:Hall 4\nDESCRIPTION:%s\nEND:VEVENT\n"
)
_PAGE = (
    b"MIME-Version: 1.0\nContent-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html; charset=utf-8\n"
    b"Content-Location: http://a/b.html\n\n<html><title>Pumps</title><body>%s</body></html>\n--b--\n"
)


def calendar(text: bytes = _PROSE.encode(), times: int = 1) -> bytes:
    """Events with a description."""
    return b"BEGIN:VCALENDAR\nVERSION:2.0\n" + (_EVENT % text) * times + b"END:VCALENDAR\n"


FILES: dict[str, Made] = {
    ".ics": calendar,
    ".mht": lambda: _PAGE % f"<p>{_PROSE}</p>".encode(),
    ".log": lambda: b"2031-01-01 10:00 ERROR Crane 4 failed\n2031-01-01 10:01 INFO repaired\n",
    ".mdx": lambda: (
        f"import X from 'x'\n\nexport const y = {{a: 1}}\n\n# Pumps\n\n{_PROSE} {{/* a */}}\n\n<X>b</X>\n".encode()
    ),
    ".rst": lambda: (
        f"Pumps\n=====\n\n{_PROSE} :ref:`x <y>`\n\n.. note:: Look.\n\n.. z:: a\n   :b: c\n\n   d\n\n- one\n\n"
        "=== ===\na   b\n=== ===\n1   2\n=== ===\n\n.. [1] Foot.\n".encode()
    ),
    ".adoc": lambda: (
        f"= Pumps\nAnn Lee\n:v: 3\n\n{_PROSE} {{v}} link:x[y] <<a,b>>\n\n== Fees\n\n|===\n|A |B\n\n.2+|1 |2\n2*|3\n|===\n\n"
        "----\nx = 1\n----\n".encode()
    ),
    ".org": lambda: (
        f"#+TITLE: Pumps\n* TODO Fees :a:\n:PROPERTIES:\n:ID: 1\n:END:\n{_PROSE}\n| A | B |\n|---+---|\n| 1 | 2 |\n"
        "#+begin_src py\nx\n#+end_src\n[[a][b]]\n".encode()
    ),
    ".tex": lambda: (
        rb"\documentclass{a}\title{Pumps}\newcommand{\x}{y}\begin{document}\section{Fees}\textbf{b} caf\'e $a$ \x."
        + _PROSE.encode()
        + rb"\begin{itemize}\item one\item two\end{itemize}\begin{tabular}{ll}A & B \\ \multirow{2}{*}{1} & 2 \\ & \multicolumn{1}{c}{3}\\\end{tabular}\end{document}"
    ),
    ".xml": lambda: f'<a><title>Pumps</title><b c="long attribute">x</b><p>{_PROSE} <i>y</i></p></a>'.encode(),
    ".doc": _file("harbour.doc"),
    ".ppt": _file("harbour.ppt"),
    ".xls": _file("harbour.xls"),
    ".ods": ods,
    ".odp": odp,
    ".msg": lambda: msg("Pumps", _PROSE),
    ".srt": lambda: (
        b"1\n00:00:01,000 --> 00:00:03,000\nThe <i>pump</i> runs.\n\n2\n00:00:09,000 --> 00:00:10,000\nIt stops.\n"
    ),
    ".vtt": lambda: b"WEBVTT\n\n00:01.000 --> 00:03.000\n<v Ann>The pump runs.\n",
    ".ass": lambda: (
        b"[Script Info]\nTitle: x\n\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
        b"Dialogue: 0,0:00:01.00,0:00:03.00,Default,,0,0,0,,{\\i1}The pump{\\i0}\\Nruns.\n"
    ),
    ".ipynb": notebook,
    ".yaml": lambda: b"# why\nname: pumps\nservices:\n  crane:\n    image: x\n",
    ".toml": lambda: b"# why\n[pumps]\nbar = 40\n",
    ".properties": lambda: b"# why\npumps.bar=40\npumps.name=Gr\\u00fcn\n",
    ".py": lambda: (
        b'"""Doc."""\n\n@a\nclass Boat(B):\n    def sail(self):\n        return 1\n\ndef f(x):\n    return x\n'
    ),
}

ATTACKS: dict[str, dict[str, Made]] = {
    ".ics": {
        "events": lambda: calendar(times=5_000),
        "escapes": lambda: calendar(b"\\n" * 200_000),
        "folded lines": lambda: calendar(b"a\n " * 100_000),
        "nested": _repeated(b"", b"BEGIN:VEVENT\n", 50_000),
    },
    ".mht": {
        "spans": lambda: _PAGE % (b"<span>" * 50_000),
        "parts": lambda: (_PAGE % b"a").replace(
            b"--b--\n", b"--b\nContent-Type: text/html\n\n<p>a</p>\n" * 2_000 + b"--b--\n"
        ),
        "headers": lambda: b"a: b\n" * 100_000 + _PAGE % b"a",
    },
    ".log": {"lines": _repeated(b"", b"a\n", 500_000)},
    ".mdx": {
        "comments": _repeated(b"", b"{/* a ", 50_000),
        "ends": _repeated(b"{/*", b"*/} ", 50_000),
        "imports": _repeated(b"import {", b"a, ", 50_000),
        "exports": _repeated(b"", b"export const a b ", 20_000),
        "marks": _repeated(b"", b"`{/*", 50_000),
    },
    ".rst": {
        "directives": _repeated(b"", b".. a::\n\n", 5_000),
        "roles": _repeated(b"", b":a:`b` ", 10_000),
        "nested lists": lambda: b"".join(b"  " * n + b"- a\n\n" for n in range(150)),
        "quotes": _repeated(b"", b"`", 20_000),
    },
    ".adoc": {
        "fences": _repeated(b"", b"====\n", 3_000),
        "cells": _repeated(b"|===\n", b"|a ", 200_000, b"\n|===\n"),
        "spans": _repeated(b"[cols=100*]\n|===\n", b".99+|a\n", 20_000, b"|===\n"),
        "copies": _repeated(b"[cols=9*]\n|===\n", b"99*|aaaa\n", 20_000, b"|===\n"),
        "references": _repeated(b":a: b\n\n", b"{a}", 100_000),
        "brackets": _repeated(b"", b"link:a[", 50_000),
    },
    ".org": {
        "headlines": _repeated(b"", b"* a\n", 20_000),
        "blocks": _repeated(b"", b"#+begin_src\n", 2_000),
        "brackets": _repeated(b"", b"[[", 50_000),
        "drawers": _repeated(b"", b":PROPERTIES:\n", 5_000),
        "spaces": _repeated(b"* a\nnote the", b" ", 60_000),
    },
    ".tex": {
        "braces": _repeated(b"", b"{", 20_000),
        "begins": _repeated(b"", b"\\begin{a}", 2_000),
        "spans": _repeated(b"\\begin{tabular}{l}", b"\\multirow{99}{*}{a}&\\multicolumn{99}{c}{b}\\\\", 500),
        "macros": lambda: b"".join(b"\\newcommand{\\a%s}{%s}" % (bytes([97 + n]) * 2, b"b" * 200) for n in range(26)),
        "dollars": _repeated(b"", b"$a$ ", 10_000),
    },
    ".xml": {
        "deep": lambda: b"<a>" * 200 + b"x" + b"</a>" * 200,
        "entities": lambda: b'<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><a>' + b"&c;" * 10_000 + b"</a>",
        "fields": _repeated(b"<a>", b"<b>c</b>", 50_000, b"</a>"),
    },
    ".doc": {"zeros": lambda: _file("harbour.doc")()[:4096] + b"\0" * 500_000},
    ".ppt": {"zeros": lambda: _file("harbour.ppt")()[:4096] + b"\0" * 500_000},
    ".xls": {"zeros": lambda: _file("harbour.xls")()[:2048] + b"\0" * 500_000},
    ".ods": {
        "repeated rows": lambda: ods(
            b'<table:table-row table:number-rows-repeated="99999999"><table:table-cell '
            b'table:number-columns-repeated="99999999"><text:p>a</text:p></table:table-cell></table:table-row>'
        ),
    },
    ".odp": {
        "shapes": lambda: odp(b"<draw:custom-shape><text:p>a</text:p></draw:custom-shape>" * 20_000),
        "charts": lambda: odp(b'<draw:frame><draw:object href="./Object"/></draw:frame>' * 20_000),
    },
    ".msg": {"many lines": lambda: msg("a", "b\n" * 1_000)},
    ".srt": {"cues": _repeated(b"", b"1\n00:00:01,000 --> 00:00:03,000\na\n\n", 10_000)},
    ".vtt": {"tags": _repeated(b"WEBVTT\n\n00:01.000 --> 00:03.000\n", b"<v a", 10_000)},
    ".ass": {"tags": _repeated(b"[Events]\nDialogue: 0,0:00:01.00,0:00:03.00,Default,,0,0,0,,", b"{\\i1", 10_000)},
    ".ipynb": {"cells": lambda: json.dumps({"cells": [{"cell_type": "markdown", "source": "# a"}] * 5_000}).encode()},
    ".yaml": {"keys": _repeated(b"", b"a:\n  b: c\n", 50_000), "blank": _repeated(b"a:", b" ", 500_000)},
    ".properties": {"codes": _repeated(b"a=", b"\\ud83d", 50_000)},
    ".toml": {"names": _repeated(b"", b"[", 200_000), "sections": _repeated(b"", b"[a]\n", 50_000)},
    ".py": {
        "functions": _repeated(b"", b"def a():\n  1\n", 10_000),
        "nested": lambda: b"".join(b" " * n + b"def a():\n" for n in range(1_000)),
        "quotes": _repeated(b"", b'"""', 20_000),
        "brackets": _repeated(b"", b"(", 50_000),
    },
}

_LIGHT = (
    b"\n",
    b"\n\n",
    b"* ",
    b"- ",
    b"= ",
    b"==",
    b"|",
    b"`",
    b":a:",
    b"[",
    b"]",
    b"{",
    b"}",
    b"  ",
    b"#",
    b"a",
    b"::",
    b"<<",
)
WORDS: dict[str, tuple[bytes, ...]] = {
    **dict.fromkeys(FILES, _LIGHT),
    ".ass": (
        *_LIGHT,
        b"{\\i1}",
        b"\\N",
        b"{\\p1}",
        b"Dialogue: 0,0:00:01.00,0:00:03.00,Default,,0,0,0,,",
        b"Comment: ",
    ),
    ".mdx": (*_LIGHT, b"{/*", b"*/}", b"import ", b"export const ", b"\n\n", b"<A>", b"`"),
    ".rst": (*_LIGHT, b".. a::\n", b":a:`b`", b"\n===\n", b".. [1] ", b"|a|", b"a_ ", b"`a <b>`_"),
    ".tex": (*_LIGHT, b"\\begin{a}", b"\\end{a}", b"\\a", b"&", b"\\\\", b"$", b"%", b"\\item", b"\\section{"),
    ".xml": (b"<a>", b"</a>", b"<p>", b"<title>", b"<!--", b"-->", b"&amp;", b' b="c"', b"<![CDATA[", b"a"),
    ".odp": (b"<draw:page>", b"</draw:page>", b"<draw:frame>", b"<text:p>", b"<text:list>"),
    ".ods": (
        b"<text:p>",
        b"</text:p>",
        b"<table:table-row>",
        b"<table:table-cell>",
        b' table:number-columns-spanned="9"',
    ),
}
