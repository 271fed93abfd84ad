"""Output of terminals as they show it: without the sequences for colours and links, and without overwritten text."""

from __future__ import annotations

import re

_SEQUENCE = re.compile(
    r"\x1b(?:\[[0-?]{0,64}[ -/]{0,8}[@-~]"  # colours, and movements of the cursor
    r"|\][^\x07\x1b\n]{0,4096}(?:\x07|\x1b\\)"  # links and titles
    r"|[()][0-9A-Z]|[=>78cDEHM])"
)
_OVERSTRUCK = re.compile("[^\b\n]\b")  # bold and underlined letters of manuals


def displayed_output(text: str) -> str:
    """``text`` as a terminal shows it."""
    if "\x1b" in text:
        text = _SEQUENCE.sub("", text)
    if "\b" in text:
        text = _OVERSTRUCK.sub("", text)
    return "\n".join(map(_last_state, text.split("\n"))) if "\r" in text else text


def _last_state(line: str) -> str:
    """What is left of a line that carriage returns overwrite, as progress bars do."""
    return next((part for part in reversed(line.split("\r")) if part), "")
