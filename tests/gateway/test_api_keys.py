"""API keys: a file of names and digests."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from retriton_pipeline.errors import PipelineError
from retriton_pipeline.gateway.services.api_keys import ANONYMOUS, ApiKeys, new_key


def test_a_key_is_known_by_its_name_and_not_stored_in_the_file(tmp_path: Path) -> None:
    key, line = new_key("team.a")
    (tmp_path / "keys").write_text(f"\n# comment\n {line} \n")
    keys = ApiKeys(tmp_path / "keys")
    assert keys.name(f"Bearer {key}") == keys.name(f"bearer  {key}") == "team.a"
    assert key not in (tmp_path / "keys").read_text()
    for wrong in ("", key, f"Basic {key}", "Bearer ", f"Bearer {key}x", f"Bearer {line}", "Bearer \udcff"):
        assert keys.name(wrong) is None


def test_keys_are_reloaded(tmp_path: Path) -> None:
    (old, old_line), (new, new_line) = new_key("old"), new_key("new")
    file = tmp_path / "keys"
    file.write_text(old_line)
    keys = ApiKeys(file, reload_s=0.0)
    file.write_text(f"{old_line}\n{new_line}\n")
    assert (keys.name(f"Bearer {old}"), keys.name(f"Bearer {new}")) == ("old", "new")
    stamp = file.stat()
    file.write_text(f"{new_line}\n".ljust(stamp.st_size))
    os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))  # replaced within one tick of the clock
    assert (keys.name(f"Bearer {old}"), keys.name(f"Bearer {new}")) == (None, "new")


def emptied(file: Path) -> None:
    file.write_text("")


def deleted(file: Path) -> None:
    file.unlink()


def only_comments(file: Path) -> None:
    file.write_text("# none\n")


def a_directory(file: Path) -> None:
    file.unlink()
    file.mkdir()


def a_dangling_link(file: Path) -> None:
    file.unlink()
    file.symlink_to(file.parent / "nothing")


def a_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def a_device(file: Path) -> None:
    file.unlink()
    file.symlink_to("/dev/zero")


def cut_off(file: Path) -> None:
    file.write_text(file.read_text()[:-10])


def with_nul_bytes(file: Path) -> None:
    file.write_bytes(b"\0" + file.read_bytes())


def in_utf_16(file: Path) -> None:
    file.write_text(file.read_text(), "utf-16")


def too_large(file: Path) -> None:
    file.write_text(file.read_text() + "\n" + "#" * 2_000_000)


@pytest.mark.parametrize(
    "broken",
    [
        *(emptied, deleted, only_comments, a_directory, a_dangling_link, a_pipe, a_device),
        *(cut_off, with_nul_bytes, in_utf_16, too_large),
    ],
)
def test_without_a_valid_line_nobody_is_let_in(
    tmp_path: Path, broken: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    key, line = new_key("me")
    file = tmp_path / "keys"
    file.write_text(line)
    keys = ApiKeys(file, reload_s=0.0)
    broken(file)
    assert keys.name(f"Bearer {key}") is None
    logged = len(caplog.records)
    assert logged
    assert keys.name(f"Bearer {key}") is None
    assert len(caplog.records) == logged  # once
    assert line[3:20] not in caplog.text
    if file.is_dir():
        file.rmdir()
    file.unlink(missing_ok=True)
    file.write_text(line)
    assert keys.name(f"Bearer {key}") == "me"


def test_of_a_broken_file_only_the_valid_lines_count(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (old, old_line), (new, new_line) = new_key("old"), new_key("new")
    file = tmp_path / "keys"
    file.write_text(f"{old_line}\n{new_line}")
    keys = ApiKeys(file, reload_s=0.0)
    for content in (
        f"{new_line}\n{old_line[:-1]}",
        f"{old}\n\ufeff\n{new_line}",
        f"a\0b\r\n{new_line}\r\n{new_line}\r\n",
    ):
        file.write_text(content)
        assert (keys.name(f"Bearer {old}"), keys.name(f"Bearer {new}")) == (None, "new")
    assert "line 2 of" in caplog.text
    assert old not in caplog.text


def test_links_may_be_swapped(tmp_path: Path) -> None:
    (old, old_line), (new, new_line) = new_key("old"), new_key("new")
    for name, line in (("1", old_line), ("2", new_line)):
        (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + line.encode())
    (tmp_path / "keys").symlink_to("1")
    keys = ApiKeys(tmp_path / "keys", reload_s=0.0)
    assert keys.name(f"Bearer {old}") == "old"
    (tmp_path / "next").symlink_to("2")
    (tmp_path / "next").rename(tmp_path / "keys")
    assert (keys.name(f"Bearer {old}"), keys.name(f"Bearer {new}")) == (None, "new")


@pytest.mark.parametrize("content", ["", "# nothing\n", "a-key-that-was-pasted", "name:xyz"])
def test_a_file_without_keys_is_rejected_and_its_lines_are_not_repeated(tmp_path: Path, content: str) -> None:
    (tmp_path / "keys").write_text(content)
    with pytest.raises(PipelineError, match="retriton key NAME") as caught:
        ApiKeys(tmp_path / "keys")
    assert "pasted" not in str(caught.value)


def test_without_a_file_every_request_is_anonymous() -> None:
    assert ApiKeys(None).name("") == ANONYMOUS


def test_names_are_checked() -> None:
    with pytest.raises(PipelineError, match="letters, digits"):
        new_key("a:b")
