"""Calendar entries (iCalendar), as they come with invitations: what, when, where and who."""

from __future__ import annotations

import re
from collections.abc import Iterator

from retriton_pipeline.documents.html.fragments import fragment_blocks, is_html
from retriton_pipeline.documents.model import Block, Content
from retriton_pipeline.documents.text.encoding import decode

_COMPONENTS = ("VEVENT", "VTODO", "VJOURNAL")
_LABELS = {
    "SUMMARY": "Summary", "DTSTART": "Start", "DTEND": "End", "DUE": "Due", "DURATION": "Duration", "RRULE": "Repeats",
    "LOCATION": "Location", "STATUS": "Status", "ORGANIZER": "Organizer", "ATTENDEE": "Attendee",
    "CONTACT": "Contact", "CATEGORIES": "Categories", "RESOURCES": "Resources", "URL": "Link",
    "DESCRIPTION": "Description", "X-ALT-DESC": "Description", "COMMENT": "Comment",
}  # fmt: skip
_CALENDAR_NAMES = ("X-WR-CALNAME", "NAME")
_PROPERTY = re.compile(r"([A-Za-z-]+)((?:;[^:;\"=]+=(?:\"[^\"]*\"|[^:;\"]*))*):(.*)", re.DOTALL)
_NAME = re.compile(r";CN=(?:\"([^\"]*)\"|([^:;]*))", re.IGNORECASE)
_ZONE = re.compile(r";TZID=\"?([^:;\"]*)", re.IGNORECASE)
_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)\d\d(Z?))?")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def read_calendar(raw: bytes) -> Content:
    """A block for each entry; the title is the name of the calendar, or that of the only event."""
    text = decode(raw)
    blocks = calendar_blocks(text)
    name = next((value for name, _, value in _properties(text) if name in _CALENDAR_NAMES), "")
    if name and len(blocks) > 1:
        return Content(name, blocks)
    first = blocks[0].text.partition("\n")[0] if blocks else ""
    return Content(first.removeprefix("Summary: ") if first.startswith("Summary: ") else "", blocks)


def calendar_blocks(text: str) -> list[Block]:
    """A block for each event, task and journal entry, with a property on each line."""
    entries: list[list[str]] = []
    open_components: list[str] = []
    for name, parameters, value in _properties(text):
        if name == "BEGIN":
            open_components.append(value.upper())
            if value.upper() in _COMPONENTS:
                entries.append([])
        elif name == "END":
            del open_components[-1:]
        elif name == "X-ALT-DESC" and entries and any(line.startswith("Description: ") for line in entries[-1]):
            continue  # the same in HTML
        elif open_components and open_components[-1] in _COMPONENTS and name in _LABELS and value:
            entries[-1].append(f"{_LABELS[name]}: {_shown(name, parameters, value)}")
    return [Block("\n".join(lines)) for lines in entries if lines]


def _properties(text: str) -> Iterator[tuple[str, str, str]]:
    unfolded = re.sub(r"\n[ \t]", "", text)
    for line in unfolded.split("\n"):
        if match := _PROPERTY.fullmatch(line.strip()):
            yield match[1].upper(), match[2], match[3].strip()


def _shown(name: str, parameters: str, value: str) -> str:
    if name in ("ORGANIZER", "ATTENDEE"):
        address = re.sub("^mailto:", "", value, flags=re.IGNORECASE)
        person = _NAME.search(parameters)
        return f"{person[1] or person[2]} <{address}>" if person else address
    if time := _TIME.fullmatch(value):
        year, month, day, hour, minute, utc = time.groups()
        zone = _ZONE.search(parameters)
        place = " UTC" if utc else f" {zone[1]}" if zone else ""
        return f"{year}-{month}-{day}" + (f" {hour}:{minute}{place}" if hour else "")
    text = _ESCAPED.sub(lambda match: "\n" if match[1] in "nN" else match[1], value).strip()
    return "\n".join(block.text for block in fragment_blocks(text)) if is_html(text) else text
