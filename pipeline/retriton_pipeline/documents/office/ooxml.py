"""What DOCX, PPTX and XLSX have in common (Office Open XML): namespaces, relations of parts, strict files."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Callable, Iterator
from urllib.parse import unquote

from lxml import etree

from retriton_pipeline.documents.office.archive import parse_xml, read_member

_SCHEMAS = "http://schemas.openxmlformats.org"
WORD = f"{{{_SCHEMAS}/wordprocessingml/2006/main}}"
DRAWING = f"{{{_SCHEMAS}/drawingml/2006/main}}"
CHART = f"{{{_SCHEMAS}/drawingml/2006/chart}}"
DIAGRAM = f"{{{_SCHEMAS}/drawingml/2006/diagram}}"
RELATIONSHIPS = f"{{{_SCHEMAS}/officeDocument/2006/relationships}}"
COMPATIBILITY = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_STRICT = re.compile(rb"http://purl\.oclc\.org/ooxml/(\w+)/")
_STRICT_MARK = b"http://purl.oclc.org/ooxml/"
_TRANSITIONAL = rb"http://schemas.openxmlformats.org/\1/2006/"
_TYPES = "[Content_Types].xml"
_VARIANT = re.compile(  # shows and templates, which python-pptx refuses
    rb"application/vnd\.(?:openxmlformats-officedocument\.presentationml\.(?:slideshow|template)\.main"
    rb"|ms-powerpoint\.(?:slideshow|template)\.macroEnabled\.main)\+xml"
)
_ORDINARY = b"application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"
_COPIED_BYTES = 1024**2
Finder = Callable[[str | None], etree._Element | None]
_FALSE = ("0", "false", "off", "none")


def transitional(part: bytes) -> bytes:
    """``part`` with the namespaces of the strict variant replaced by the usual ones, which the libraries support."""
    return _STRICT.sub(_TRANSITIONAL, part)


def transitional_file(raw: bytes, archive: zipfile.ZipFile) -> bytes:
    """``raw``; of a strict file, a template or a show, a copy without images in the usual form."""
    is_variant = _VARIANT.search(read_member(archive, _TYPES)) is not None
    if _STRICT_MARK not in read_member(archive, "_rels/.rels") and not is_variant:
        return raw
    copied = io.BytesIO()
    with zipfile.ZipFile(copied, "w", zipfile.ZIP_DEFLATED) as copy:
        for name in dict.fromkeys(archive.namelist()):
            if name.endswith((".xml", ".rels")):
                _copy_part(archive, copy, name)
    return copied.getvalue()


def _copy_part(archive: zipfile.ZipFile, copy: zipfile.ZipFile, name: str) -> None:
    """Copies a part piece by piece; only the first piece of a large part declares namespaces."""
    with archive.open(name) as source, copy.open(name, "w") as target:
        target.write(_VARIANT.sub(_ORDINARY, transitional(source.read(_COPIED_BYTES))))
        while piece := source.read(_COPIED_BYTES):
            target.write(piece)


def part_names(archive: zipfile.ZipFile, part: str) -> dict[str, str]:
    """The names of the parts that ``part`` is related to, by the ids of the relations."""
    return {key: path for key, _, path in _relations(archive, part)}


def relation_ids(archive: zipfile.ZipFile, part: str) -> dict[str, str]:
    """The ids of the relations of ``part`` by the names of the parts that it is related to."""
    return {path: key for key, _, path in _relations(archive, part)}


def related_name(archive: zipfile.ZipFile, part: str, kind: str, default: str) -> str:
    """The name of the part of a kind, such as ``styles``, that ``part`` is related to; ``default`` if there is none.

    Args:
        archive: the file.
        part: the name of the part; empty for the file.
        kind: the last part of the type of the relation.
        default: the usual name.
    """
    names = (path for _, type_, path in _relations(archive, part) if type_.endswith(f"/{kind}"))
    return next((name for name in names if name in archive.namelist()), default)


def part_finder(archive: zipfile.ZipFile, part: str, found: set[str]) -> Finder:
    """A function from the id of a relation of ``part`` to the root of the related part.

    It returns each part once, and None after that: a small file can refer to a part any number of times.

    Args:
        archive: the file.
        part: the name of the part.
        found: the names of the parts that were returned, for all parts of the file.
    """
    targets = part_names(archive, part)

    def find(relation: str | None) -> etree._Element | None:
        target = targets.get(relation or "", "")
        raw = b"" if target in found else read_member(archive, target)
        found.add(target)
        return parse_xml(transitional(raw)) if raw else None

    return find


def related_parts(
    archive: zipfile.ZipFile, part: str, kind: str, found: set[str]
) -> Iterator[tuple[str, etree._Element]]:
    """The names and the roots of the parts of a kind, such as ``drawing``, that ``part`` is related to.

    Each part is returned once: those in ``found`` are skipped, and others added to it.
    """
    find = part_finder(archive, part, found)
    for key, type_, path in _relations(archive, part):
        if type_.endswith(f"/{kind}") and (root := find(key)) is not None:
            yield path, root


def _relations(archive: zipfile.ZipFile, part: str) -> list[tuple[str, str, str]]:
    """The id, the type and the target of each relation of ``part`` to another part."""
    folder, name = posixpath.split(part)
    raw = read_member(archive, posixpath.join(folder, "_rels", f"{name}.rels"))
    return [
        (
            relation.get("Id", ""),
            relation.get("Type", ""),
            posixpath.normpath(posixpath.join("/", folder, unquote(relation.get("Target", "")))).lstrip("/"),
        )
        for relation in (parse_xml(raw) if raw else ())
        if relation.get("TargetMode") != "External"
    ]


def is_on(property_: etree._Element | None, attribute: str) -> bool:
    """Whether a property that needs no value, such as ``<w:vanish/>``, is there and not switched off."""
    return property_ is not None and property_.get(attribute, "1").lower() not in _FALSE
