"""Who is let in."""

from __future__ import annotations

from pathlib import Path

import pytest

from retriton_pipeline.errors import PipelineError
from retriton_pipeline.gateway.services import api_keys as module
from retriton_pipeline.gateway.services.api_keys import ANONYMOUS, ApiKeys, new_key


@pytest.fixture(autouse=True)
def looks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOOK_AGAIN_S", 0.0)


def test_a_key_opens_under_its_name_and_the_file_does_not_have_it(tmp_path: Path) -> None:
    key, line = new_key("team.a")
    (tmp_path / "keys").write_text(f"\n# comment\n {line} \n")
    keys = ApiKeys(tmp_path / "keys")
    assert keys.name(f"Bearer {key}") == keys.name(f"bearer  {key}") == "team.a"
    assert key not in (tmp_path / "keys").read_text()
    for wrong in ("", key, f"Basic {key}", "Bearer ", f"Bearer {key}x", f"Bearer {line}", "Bearer \udcff"):
        assert keys.name(wrong) is None


def test_keys_are_exchanged_while_it_runs_and_a_broken_file_changes_nothing(tmp_path: Path) -> None:
    (old, old_line), (new, new_line) = new_key("old"), new_key("new")
    file = tmp_path / "keys"
    file.write_text(old_line)
    keys = ApiKeys(file)
    file.write_text(f"{old_line}\n{new_line}\n")
    assert (keys.name(f"Bearer {old}"), keys.name(f"Bearer {new}")) == ("old", "new")
    file.write_text(f"{new_line}\n")
    assert (keys.name(f"Bearer {old}"), keys.name(f"Bearer {new}")) == (None, "new")
    for broken in ("", new, "name:abc"):
        file.write_text(broken)
        assert keys.name(f"Bearer {new}") == "new"
    file.unlink()
    assert keys.name(f"Bearer {new}") == "new"


@pytest.mark.parametrize("content", ["", "# nothing\n", "a-key-that-was-pasted", "name:xyz"])
def test_a_file_without_keys_is_refused_and_not_repeated(tmp_path: Path, content: str) -> None:
    (tmp_path / "keys").write_text(content)
    with pytest.raises(PipelineError, match="retriton key NAME") as caught:
        ApiKeys(tmp_path / "keys")
    assert "pasted" not in str(caught.value)


def test_without_a_file_everybody_is_let_in() -> None:
    assert ApiKeys(None).name("") == ANONYMOUS


def test_names_are_checked() -> None:
    with pytest.raises(PipelineError, match="letters, digits"):
        new_key("a:b")
