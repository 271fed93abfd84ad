"""Components of MDX: what they show of their attributes, and what they contain."""

from __future__ import annotations

import re

from retriton_pipeline.documents.text.markdown_inline import changed_outside_code

_COMPONENT = re.compile(
    r"""(^[ \t]*)?<(/?)[A-Z][\w.]{0,100}((?:[^<>"'{}]|"[^"<]{0,2000}"|'[^'<]{0,2000}'|\{[^{}]{0,2000}\}){0,500}+)/?>""",
    re.MULTILINE,
)
_SHOWN = re.compile(
    r"""\s(?:title|label|summary|heading|caption|description|text|message)=(?:\{[ ]?)?(?:"([^"]*)"|'([^']*)')"""
)
_FRAGMENT = re.compile(r"^[ \t]*</?>[ \t]*$", re.MULTILINE)


def without_components(text: str) -> str:
    """``text`` with the texts of attributes, and without names, in place of the tags of components outside of code."""
    return changed_outside_code(text, lambda part: _FRAGMENT.sub("", _COMPONENT.sub(_shown, part)))


def _shown(match: re.Match[str]) -> str:
    begins_line, is_end = match[1] is not None, bool(match[2])
    texts = [double or single for double, single in _SHOWN.findall(match[3])]
    if not texts or is_end:
        return "\n" if begins_line else ""
    return "\n" + "".join(f"{text}\n\n" for text in texts) if begins_line else f"{' '.join(texts)} "
