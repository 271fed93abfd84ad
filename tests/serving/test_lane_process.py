"""Processes of a lane ask each other; here two of them in one process, with real sockets."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from retriton_serving.batching.request import Request
from retriton_serving.contract.errors import EncoderUnavailable
from retriton_serving.contract.variables import DRAIN_FOLDER
from retriton_serving.triton import lane_process
from retriton_serving.triton.lane_process import LaneProcess

IDS = np.array([101, 7592, 102])


def process(number: int, count: int = 2) -> LaneProcess:
    config = {"name": "embed_query", "instance_group": [{"count": count}]}
    return LaneProcess(config, f"embed_query_0_{number}")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a start; its path is longer than that of a socket may be."""
    path = tmp_path / ("long" * 30)
    path.mkdir()
    monkeypatch.setenv(DRAIN_FOLDER, str(path))
    return path


def test_the_others_compute_a_probe() -> None:
    computed: list[list[int]] = []

    def submit(request: Request) -> None:
        assert request.urgent
        computed.append([int(token) for token in request.texts[0]])
        request.put(0, np.zeros(2, np.float32))

    for number in (1, 2):
        process(number, count=3).listen(submit)
    process(0, count=3).check_others(IDS)
    assert computed == [[101, 7592, 102]] * 2


def test_what_another_cannot_compute_fails_the_probe() -> None:
    def submit(request: Request) -> None:
        raise EncoderUnavailable("the encoder failed: no memory")

    process(1).listen(submit)
    with pytest.raises(EncoderUnavailable, match="process 1 of embed_query does not compute: .*no memory"):
        process(0).check_others(IDS)


def test_a_process_that_ended_fails_the_probe() -> None:
    with pytest.raises(EncoderUnavailable, match="process 1 of embed_query cannot be asked"):
        process(0).check_others(IDS)


def test_a_process_that_hangs_fails_the_probe_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane_process, "_ANSWER_S", 0.2)
    kept: list[Request] = []
    process(1).listen(kept.append)
    with pytest.raises(EncoderUnavailable, match="process 1 of embed_query does not compute: there is no answer"):
        process(0).check_others(IDS)
    kept[0].put(0, np.zeros(2, np.float32))  # nobody waits any more, and that is no error


def test_a_lane_of_one_process_asks_nobody(folder: Path) -> None:
    alone = process(0, count=1)
    alone.listen(lambda request: None)
    assert not alone.has_others
    assert not list(folder.iterdir())


def test_a_connection_without_a_probe_is_dropped() -> None:
    computed = threading.Event()

    def submit(request: Request) -> None:
        computed.set()
        request.put(0, np.zeros(2, np.float32))

    process(1).listen(submit)
    with pytest.raises(EncoderUnavailable):
        process(0).check_others(np.zeros(0, np.int64))
    assert not computed.is_set()
    process(0).check_others(IDS)


@pytest.mark.parametrize(("amount", "count", "share"), [(16384, 1, 16384), (16384, 3, 5462), (4, 2, 2), (1, 4, 1)])
def test_the_shares_of_a_bound_add_up_to_it(amount: int, count: int, share: int) -> None:
    assert process(0, count).share(amount) == share
    assert share * count >= amount
