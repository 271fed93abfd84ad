"""Subtitles (.srt, .vtt, .ass): what is said, in paragraphs that begin with their time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import unescape

import pysubs2

from retriton_pipeline.documents.model import Block, Content
from retriton_pipeline.documents.text.encoding import decode

_PAUSE_MS = 3_000  # begins a paragraph
_CUE_TIME = re.compile(r"<\d[\d:.]{1,20}>")  # of a word
_VOICE = re.compile(r"<v(?:\.[^\s<>]{1,200})?[ \t]+([^<>\n]{1,200})>")
_READING = re.compile(r"<rt>[^<>\n]{0,200}(?:</rt>)?")  # above ruby text
_BLANK_LINES = re.compile(r"\n\n+")
_CHARACTERS_MIN, _CHARACTERS_MAX = 300, 1_200  # of a paragraph


def read_subtitles(raw: bytes, syntax: str) -> Content:
    """Paragraphs; lines that recordings repeat while they scroll are kept once.

    Args:
        raw: the file.
        syntax: the name that pysubs2 gives to the format.
    """
    text = _web_cues(decode(raw)) if syntax == "vtt" else decode(raw)
    file = pysubs2.SSAFile.from_string(text, format_=syntax, keep_unknown_html_tags=False)
    shown = sorted((event for event in file if not (event.is_comment or event.is_drawing)), key=_start)
    return Content("", list(_paragraphs(shown)))


def _web_cues(text: str) -> str:
    """The cues of WebVTT without their identifiers, with a name where another voice begins to speak."""
    cues = []
    for part in _BLANK_LINES.split(text):
        lines = part.split("\n")
        time = next((number for number, line in enumerate(lines[:2]) if "-->" in line), None)
        if time is not None:
            cues.append("\n".join(lines[time:]))
    voices = [""]

    def named(match: re.Match[str]) -> str:
        voices.append(match[1].strip())
        return f"{voices[-1]}:\n" if voices[-1] != voices[-2] else ""

    return "WEBVTT\n\n" + _VOICE.sub(named, _CUE_TIME.sub("", _READING.sub("", "\n\n".join(cues)))) + "\n"


def _paragraphs(events: Iterable[pysubs2.SSAEvent]) -> Iterator[Block]:
    words: list[str] = []
    length = start = end = 0
    last: list[str] = []
    for event in events:
        lines = [line.strip() for line in unescape(event.plaintext).split("\n") if line.strip()]
        spoken = " ".join(line for line in lines if line not in last)
        last = lines or last
        is_complete = length > _CHARACTERS_MAX or (length > _CHARACTERS_MIN and words[-1].endswith((".", "!", "?")))
        if words and (event.start - end > _PAUSE_MS or is_complete):
            yield _paragraph(start, words)
            words, length = [], 0
        if spoken:
            start = event.start if not words else start
            words.append(spoken)
            length += len(spoken)
        end = event.end
    if words:
        yield _paragraph(start, words)


def _start(event: pysubs2.SSAEvent) -> int:
    return int(event.start)


def _paragraph(start_ms: int, words: list[str]) -> Block:
    minutes, seconds = divmod(start_ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return Block(f"[{hours:02}:{minutes:02}:{seconds:02}] {' '.join(words)}")
