"""Archives and mailboxes, and files that are read in parts."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
import tarfile
import textwrap
import zipfile
from pathlib import Path

import pytest

from retriton_pipeline.documents import Document, SourceFile, Unreadable, file_parts, find_files, load_documents
from retriton_pipeline.documents.containers import mailbox, members
from retriton_pipeline.documents.text_parts import text_parts


def load(file: Path) -> list[Document | Unreadable]:
    return [item for part in file_parts(SourceFile(file)) for item in load_documents(part)]


def records(file: Path) -> dict[str, str]:
    """The text of each document, or the reason why there is none, by what follows the name of ``file``."""
    return {
        item.source.removeprefix(f"{file}").lstrip("#"): "\n".join(block.text for block in item.blocks)
        if isinstance(item, Document)
        else f"! {item.reason}"
        for item in load(file)
    }


def test_members_of_a_zip_are_documents_and_paths_out_of_it_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("docs/tides.md", "High.")
        archive.writestr("b.jsonl", '{"id": "x", "text": "one"}\n{"text": "two"}\n')
        archive.writestr("../out.txt", "x")
        archive.writestr("C:\\out.txt", "x")
        archive.writestr("in.zip", b"PK")
        archive.writestr("c.bin", b"\0")
        archive.writestr("__MACOSX/d.txt", "x")
        link = zipfile.ZipInfo("link.txt")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    assert records(file) == {
        "docs/tides.md": "High.",
        "b.jsonl#x": "one",
        "b.jsonl#line-2": "two",
        "../out.txt": "! its path leads out of the archive",
        "C:\\out.txt": "! its path leads out of the archive",
        "in.zip": "! archives in archives are not read: unpack it",
        "c.bin": "! files of type .bin are not supported",
        "link.txt": "! it is a link or a device, not a file",
    }
    first = load(file)[0]
    assert isinstance(first, Document)
    assert (first.title, first.record) == ("tides", "docs/tides.md")


def test_tar_and_compressed_files(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        info = tarfile.TarInfo("d/a.txt")
        info.size = 5
        archive.addfile(info, io.BytesIO(b"High."))
        link = tarfile.TarInfo("link.txt")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    assert records(tmp_path / "a.tar.gz") == {"d/a.txt": "High.", "link.txt": "! it is a link or a device, not a file"}
    (tmp_path / "n.txt.gz").write_bytes(gzip.compress(b"A note."))
    assert records(tmp_path / "n.txt.gz") == {"n.txt": "A note."}
    (tmp_path / "b.zip").write_bytes(b"no archive")
    assert records(tmp_path / "b.zip") == {"": "! it is not an archive, or it is damaged"}


def test_archives_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "ARCHIVE_BYTES_MAX", 3000)
    monkeypatch.setattr(members, "MEMBER_BYTES_MAX", 2000)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, size in (("large.txt", 2001), ("a.txt", 1900), ("b.txt", 1900)):
            archive.writestr(name, "a" * size)
    found = list(records(tmp_path / "a.zip").values())
    assert "limit of a file in an archive" in found[0]
    assert found[1] == "a" * 1900
    assert "unpacks to more than the limit of 3000 bytes" in found[2]
    (tmp_path / "b.gz").write_bytes(gzip.compress(b"\0" * 10_000))
    assert "limit" in records(tmp_path / "b.gz")["b"]
    monkeypatch.setattr(members, "MEMBERS_MAX", 2)
    assert "more than the limit of 2" in records(tmp_path / "a.zip")[""]


MBOX = """From a@example.org Mon Mar  4 10:00:00 2031
From: a@example.org
Subject: Crane

The crane failed.
>From the start.

From b@example.org Mon Mar  4 11:00:00 2031
From: b@example.org
Subject: Re: Crane

Repaired.
"""


def test_messages_of_a_mailbox_are_documents_whatever_the_parts(tmp_path: Path) -> None:
    file = tmp_path / "a.mbox"
    file.write_text(MBOX)
    expected = {"line-1": "The crane failed.\nFrom the start.", "line-8": "Repaired."}
    assert records(file) == expected
    file.write_text(f"{MBOX}\n" * 3)
    for size in (1, 100, 1000):
        parts = list(mailbox.mailbox_parts(SourceFile(file), size))
        assert len(parts) > 2 or size > 100
        found = [item for part in parts for item in load_documents(part)]
        assert [item.record for item in found if isinstance(item, Document)] == [
            f"line-{13 * times + line}" for times in range(3) for line in (1, 8)
        ]
    file.write_text("no mail")
    assert "not a mailbox" in records(file)[""]


@pytest.mark.parametrize("stated", ["", "sep=;\n"])
def test_parts_of_a_table_have_its_names_and_whole_rows(tmp_path: Path, stated: str) -> None:
    file = tmp_path / "a.csv"
    rows = [f'{number};"note; of\n{number}"' for number in range(50)]
    file.write_text(stated + "\n".join(["Id;Note", *rows]))
    parts = list(text_parts(SourceFile(file), 100))
    documents = [item for part in parts for item in load_documents(part)]
    assert len(parts) > 5
    assert all(isinstance(item, Document) and item.blocks[0].text.startswith("| Id | Note |") for item in documents)
    assert len({item.source for item in documents}) == len(parts)
    text = "\n".join(item.blocks[0].text for item in documents if isinstance(item, Document))
    assert [f"| {number} | note; of {number} |" in text for number in range(50)] == [True] * 50


def test_parts_of_a_text_are_complete_lines(tmp_path: Path) -> None:
    file = tmp_path / "a.log"
    lines = [f"line {number} of the log" for number in range(1, 101)]
    file.write_text("\n".join(lines))
    parts = list(text_parts(SourceFile(file), 200))
    documents = [item for part in parts for item in load_documents(part)]
    assert "\n".join(item.blocks[0].text for item in documents if isinstance(item, Document)).split("\n") == lines
    assert [part.record for part in parts[:2]] == ["", f"line-{parts[1].first_line}"]
    assert documents[1].source == f"{file}#line-{parts[1].first_line}"


_READ = """
    import resource, sys
    from pathlib import Path
    from retriton_pipeline.documents import SourceFile, file_parts, load_documents
    def peak():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    small, large = map(Path, sys.argv[1:])
    def read(file):
        return sum(1 for part in file_parts(SourceFile(file)) for _ in load_documents(part))
    read(small)
    before = peak()
    assert read(large) > 1
    print(peak() - before)
"""


@pytest.mark.parametrize("suffix", [".csv", ".txt"])
def test_the_memory_of_reading_does_not_grow_with_the_file(tmp_path: Path, suffix: str) -> None:
    note = "checked every day by the crew of the harbour, and noted in the log " * 4
    row = f"1234,pump,40,{note}\n" if suffix == ".csv" else f"The pump: {note}\n\n"
    (tmp_path / f"small{suffix}").write_text(row * 10)
    (tmp_path / f"large{suffix}").write_text(row * (12_000_000 // len(row)))
    command = [
        sys.executable,
        "-c",
        textwrap.dedent(_READ),
        *(str(tmp_path / f"{n}{suffix}") for n in ("small", "large")),
    ]
    grown = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert grown < 120 * 1024  # KiB, for parts of 4 MiB


def test_special_files_and_links_to_folders_elsewhere_are_named(tmp_path: Path) -> None:
    folder, other = tmp_path / "folder", tmp_path / "other"
    (folder / "sub").mkdir(parents=True)
    other.mkdir()
    (other / "a.txt").write_text("x")
    (folder / "out").symlink_to(other)
    (folder / "in").symlink_to(folder / "sub")
    os.mkfifo(folder / "pipe")
    reasons = {
        file.path.name: item.reason
        for file in find_files([folder])
        for part in file_parts(file)
        for item in load_documents(part)
        if isinstance(item, Unreadable)
    }
    assert reasons == {
        "pipe": "it is a named pipe, not a regular file",
        "out": "it is a link to a folder, which is not followed: name that folder itself",
    }


def test_ids_do_not_collide_with_numbers_of_lines(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(
        '{"id": "line-2", "text": "a"}\n{"text": "b"}\n{"id": "id-line-2", "text": "c"}\n{"id": 4, "text": "d"}\n'
    )
    assert records(file) == {"id-line-2": "a", "line-2": "b", "id-id-line-2": "c", "4": "d"}
