"""The comparison with other servers: what is measured, compared, and skipped with a reason."""

from __future__ import annotations

import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from bench.peers import in_process
from bench.peers.catalogue import PEERS
from bench.peers.comparison import Comparison
from bench.peers.library import Library
from bench.peers.peer import Job, Peer, Rates, UnavailableError
from bench.peers.report import medians, ratios, results, table
from bench.peers.server import bodies, wait_ready

OURS = Rates(np.eye(8, 4, dtype=np.float32) + 1, 100.0, 50.0, 1000.0)


@dataclass(frozen=True)
class FakePeer(Peer):
    """Answers with given rates, or fails."""

    rates: Rates | None = None

    def measure(self, job: Job) -> Rates:
        if self.rates is None:
            raise UnavailableError("no such graph")
        return self.rates

    def version(self) -> str:
        return "1.0"


def fake(title: str, precision: str, rates: Rates | None) -> FakePeer:
    return FakePeer(title, title, title, precision, rates)


def compared(folder: Path, *peers: Peer, rounds: int = 1) -> Comparison:
    comparison = Comparison(peers, folder, folder, 1)
    for _ in range(rounds):
        comparison.compare(Job(folder, folder, [], [], 1), OURS)
    return comparison


def test_rates_are_medians_and_ratios_those_of_the_same_round() -> None:
    ours = [Rates(OURS.sample, rate, 10.0, 90.0) for rate in (100.0, 300.0, 200.0)]
    theirs = [Rates(OURS.sample, rate, 5.0) for rate in (50.0, 100.0, 50.0)]
    assert medians(ours) == {"passages": 200, "queries": 90, "single_queries": 10}
    assert medians(theirs) == {"passages": 50, "single_queries": 5}
    assert ratios(ours, theirs) == {"passages": 3, "single_queries": 2}


def test_a_peer_that_fails_or_computes_other_vectors_is_skipped_with_the_reason(tmp_path: Path) -> None:
    good = Rates(OURS.sample * 2, 20.0, 10.0)  # the length of vectors does not matter
    other = Rates(OURS.sample[::-1].copy(), 900.0, 900.0)
    invalid = Rates(np.full_like(OURS.sample, np.nan), 900.0, 900.0)
    comparison = compared(
        tmp_path,
        fake("good", "fp32", good),
        fake("failing", "fp32", None),
        fake("other", "bf16", other),
        fake("invalid", "fp32", invalid),
        fake("coarse", "int8", other),
        rounds=2,
    )
    assert len(comparison.rounds["good, fp32"]) == 2
    found = results(comparison.rounds, comparison.facts, comparison.skipped)
    assert set(found["peers"]) == {"good, fp32", "coarse, int8"}
    assert found["peers"]["good, fp32"]["retriton_ratio"] == {"passages": 5, "single_queries": 5}
    assert found["skipped"]["failing, fp32"] == "no such graph"
    assert "lowest cosine 0." in found["skipped"]["other, bf16"] and "0.999" in found["skipped"]["other, bf16"]
    assert "lowest cosine nan" in found["skipped"]["invalid, fp32"]
    lines = table(found)
    assert "good, fp32 (1.0)" in lines and "failing, fp32: skipped: no such graph" in lines


def test_a_peer_that_fails_in_a_later_round_has_no_rates(tmp_path: Path) -> None:
    comparison = compared(tmp_path, fake("peer", "fp32", OURS))
    comparison._peers = [fake("peer", "fp32", None)]
    comparison.compare(Job(tmp_path, tmp_path, [], [], 1), OURS)
    found = results(comparison.rounds, comparison.facts, comparison.skipped)
    assert not found["peers"] and found["skipped"] == {"peer, fp32": "no such graph"}


def test_a_peer_that_is_not_installed_is_skipped_with_the_end_of_pips_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    library = Library("peer", "peer", "peer", "fp32", "module", "variant", batch=8)
    assert compared(tmp_path, library).skipped == {"peer, fp32": "not installed; pip.log is empty"}
    library.environment.mkdir()
    (library.environment / "pip.log").write_text("ERROR: one\nERROR: no version matches peer==9\n\n")
    assert "no version matches peer==9" in compared(tmp_path, library).skipped["peer, fp32"]


def test_a_library_that_fails_is_skipped_with_its_last_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    library = Library("peer", "pip", "peer", "fp32", "no_such_module", "variant", batch=8)
    venv.create(library.environment, with_pip=False)
    with pytest.raises(UnavailableError, match=r"failed; peer\.log ends with: .*No module named"):
        library.measure(Job(tmp_path, tmp_path, [], [], 1))


def test_a_server_that_ends_is_skipped_with_its_last_line(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.write_text("loading\nunknown model\n")
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
        with pytest.raises(UnavailableError, match=r"did not start; server\.log ends with: unknown model"):
            wait_ready("127.0.0.1:9", process, log)


def test_requests_have_all_texts_in_order() -> None:
    texts = [str(number) for number in range(10)]
    sent = [step["payload"][0]["input"] for step in bodies(texts, 4)["data"]]
    assert sent == [texts[:4], texts[4:8], texts[8:]]


def test_batches_have_texts_of_similar_length_and_vectors_keep_their_order() -> None:
    batches: list[list[str]] = []

    def embed(texts: list[str]) -> list[list[float]]:
        batches.append(texts)
        return [[float(len(text))] for text in texts]

    texts = ["a" * length for length in (5, 1, 4, 2, 3)]
    assert list(in_process.by_length(texts, 2, embed)) == [[5], [1], [4], [2], [3]]
    assert [[len(text) for text in batch] for batch in batches] == [[1, 2], [3, 4], [5]]
    assert in_process.rate(embed, [["a"], ["b", "c"]], 0.01) > 0


def test_peers_have_requirements_and_names_of_their_own() -> None:
    assert len({peer.name for peer in PEERS}) == len(PEERS)
    folder = Path(in_process.__file__).parent
    assert {peer.requirements for peer in PEERS} == {file.stem for file in folder.glob("*.txt")}
    assert all((folder / f"{peer.module}.py").exists() for peer in PEERS if isinstance(peer, Library))
