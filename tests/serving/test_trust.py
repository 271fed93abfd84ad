"""Parameters that decide priority count only beside the secret of the start."""

from __future__ import annotations

import pytest

from retriton_serving.contract.trust import is_trusted
from retriton_serving.contract.variables import START_SECRET


def test_only_the_secret_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(START_SECRET, "0123abcd")
    assert is_trusted("0123abcd")
    for wrong in (None, "", "0123abce", "0123abcd ", True, 1, b"0123abcd", "\u00e9", ["0123abcd"]):
        assert not is_trusted(wrong), wrong


def test_without_a_secret_nothing_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(START_SECRET, raising=False)
    assert not is_trusted("")
    assert not is_trusted(None)
