"""Mail with soft line breaks (``format=flowed``, RFC 3676)."""

from __future__ import annotations

_SIGNATURE = "-- "


def unflowed(text: str, deletes_space: bool) -> str:
    """``text`` without its soft line breaks, which are those after a space.

    Args:
        text: lines, which are quoted by ``>``.
        deletes_space: whether the space before a break is not text (``delsp=yes``), as within words.
    """
    lines: list[list[str]] = []
    open_depth = -1  # of quotation, of the line that goes on
    for line in text.split("\n"):
        content = line.lstrip(">")
        depth = len(line) - len(content)
        content = content.removeprefix(" ")
        if depth == open_depth and content != _SIGNATURE:
            lines[-1].append(content)
        else:
            lines.append([">" * depth + " " * bool(depth), content])
        is_soft = content.endswith(" ") and content != _SIGNATURE
        if is_soft and deletes_space:
            lines[-1][-1] = content[:-1]
        open_depth = depth if is_soft else -1
    return "\n".join(map("".join, lines))
