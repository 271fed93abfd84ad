"""API keys: a file of names and digests."""

from __future__ import annotations

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


def test_keys_are_reloaded_and_an_invalid_file_changes_nothing(tmp_path: Path) -> None:
    (old, old_line), (new, new_line) = new_key("old"), new_key("new")
    file = tmp_path / "keys"
    file.write_text(old_line)
    keys = ApiKeys(file, reload_s=0.0)
    file.write_text(f"{old_line}\n{new_line}\n")
    assert (keys.name(f"Bearer {old}"), keys.name(f"Bearer {new}")) == ("old", "new")
    file.write_text(f"{new_line}\n")
    assert (keys.name(f"Bearer {old}"), keys.name(f"Bearer {new}")) == (None, "new")
    for invalid in ("", new, "name:abc"):
        file.write_text(invalid)
        assert keys.name(f"Bearer {new}") == "new"
    file.unlink()
    assert keys.name(f"Bearer {new}") == "new"


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
