"""reStructuredText, also with the directives and roles of Sphinx."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from docutils import nodes
from docutils.core import publish_parts
from docutils.parsers.rst import Directive, directives, roles

from retriton_pipeline.documents.html.blocks import html_blocks
from retriton_pipeline.documents.html.parsing import parse_html
from retriton_pipeline.documents.model import Content
from retriton_pipeline.documents.text.encoding import decode
from retriton_pipeline.documents.titles import first_heading

_SETTINGS = {
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "report_level": 5,  # problems are not text
    "halt_level": 6,
    "warning_stream": False,
    "initial_header_level": 1,
    "doctitle_xform": False,
    "docinfo_xform": True,
    "embed_stylesheet": False,
    "stylesheet_path": "",
    "syntax_highlight": "none",
    "math_output": "LaTeX",
    "toc_backlinks": False,
    "smart_quotes": False,
    "line_length_limit": 100_000,
}
_DIRECTIVE = re.compile(r"^\s*\.\.\s+(?:\|[^|\n]*\|\s+)?([\w:.+-]{1,64})::", re.MULTILINE)
_ROLE = re.compile(r":([\w:.+-]{1,64}):`")
_NAMES_MAX = 200
_TARGET = re.compile(r"(.*?)\s*<[^<>]*>", re.DOTALL)  # "title <target>"
_OPTION = re.compile(r"(?:^|\s)\s*:[\w-]+:(?=\s|$)")
_CODE = {"code-block", "sourcecode", "highlight", "literalinclude", "parsed-literal", "prompt", "doctest", "testcode"}
_LABELS = {
    "versionadded": "New in version", "versionchanged": "Changed in version",
    "deprecated": "Deprecated since version", "versionremoved": "Removed in version", "seealso": "See also",
}  # fmt: skip
_CAPTION = re.compile(r"^\s+:caption:[ \t]+(\S[^\n]{0,500})$", re.MULTILINE)
_SILENT = {"toctree", "index", "contents", "currentmodule", "include", "tabularcolumns", "raw"}


class _Unknown(Directive):  # type: ignore[misc]
    """A directive that docutils does not know: its arguments and content are text."""

    has_content = True
    optional_arguments = 100
    final_argument_whitespace = True
    option_spec: ClassVar[Any] = None

    def run(self) -> list[nodes.Node]:
        """The content, parsed unless it is code, below its arguments."""
        name = self.name.rpartition(":")[2]
        if name in _SILENT:
            return []
        argument = _OPTION.split(" ".join(self.arguments))[0].strip()
        if name in _LABELS:
            return self._labelled(_LABELS[name], " ".join(self.arguments))
        lines = [line for line in self.block_text.split("\n")[1:] if not _OPTION.match(line)]
        if name in _CODE:
            code = "\n".join(self.content) or "\n".join(lines)
            caption = _CAPTION.search(self.block_text)
            titles = [nodes.paragraph("", caption[1])] if caption else []
            return [*titles, nodes.literal_block(code, code)]
        box = nodes.container()
        if argument and name != "only":
            box += nodes.paragraph("", argument)
        self.state.nested_parse(self.content, self.content_offset, box)
        return [box]

    def _labelled(self, label: str, argument: str) -> list[nodes.Node]:
        """The content below a label, which a version follows."""
        version, _, text = argument.partition(" ") if label.endswith("version") else ("", "", argument)
        parsed, _ = self.state.inline_text(text, self.lineno)
        first = nodes.paragraph("", "", nodes.Text(f"{label} {version}".strip() + (": " if text else "")), *parsed)
        box = nodes.container("", first)
        self.state.nested_parse(self.content, self.content_offset, box)
        return [box]


def read_rst(raw: bytes) -> Content:
    """Blocks; comments are skipped. Files are never included. The title is the first heading."""
    text = decode(raw)
    _register_unknown(text)
    parts = publish_parts(text, writer="html5", settings_overrides=_SETTINGS)
    tree = parse_html(parts["html_body"])
    blocks = html_blocks(tree) if tree is not None else []
    return Content(first_heading(blocks), blocks)


def _register_unknown(text: str) -> None:
    """Lets docutils keep the text of directives and roles that it does not know, instead of dropping them."""
    for name in sorted(set(_DIRECTIVE.findall(text)))[:_NAMES_MAX]:
        if name.lower() not in directives._directive_registry and name.lower() not in directives._directives:
            directives.register_directive(name.lower(), _Unknown)
    for name in sorted(set(_ROLE.findall(text)))[:_NAMES_MAX]:
        if name.lower() not in roles._role_registry and name.lower() not in roles._roles:
            roles.register_local_role(name.lower(), _text_role)


def _text_role(
    name: str, rawtext: str, text: str, *_: object, **__: object
) -> tuple[list[nodes.Node], list[nodes.Node]]:
    """The text of a role, without its target."""
    plain = text.lstrip("~!").replace("\x00", "")
    titled = _TARGET.fullmatch(plain)
    return [nodes.literal(rawtext, titled[1] if titled and titled[1] else plain)], []
