"""`kill -9` of an ingestion, again and again: in the end the store is that of a run that nothing disturbed."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from retriton_client import EncoderInfo
from retriton_pipeline.store import Store

pytestmark = [pytest.mark.triton, pytest.mark.milvus, pytest.mark.timeout(600)]
COMMAND = [str(Path(sys.executable).parent / "retriton"), "ingest"]
KILLS = int(os.environ.get("RETRITON_TEST_KILLS", "8"))  # each takes some seconds


def test_killed_at_random_moments(url: str, encoder: EncoderInfo, tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    write(folder, "final")
    start = time.monotonic()
    subprocess.run(ingest(folder, tmp_path / "undisturbed.db", url), check=True, timeout=120)
    whole_s = time.monotonic() - start
    chance = random.Random(0)
    killed = attempt = 0
    while killed < KILLS:
        attempt += 1
        assert attempt < 3 * KILLS, "the runs end before they can be killed"
        write(folder, f"version {attempt % 3}", every=1 + attempt % 2)
        start = time.monotonic()
        running = subprocess.Popen(ingest(folder, tmp_path / "killed.db", url))
        try:  # the moments are random; a run that ends before its moment does not count
            running.wait(chance.uniform(0.3, 0.9) * whole_s)
            whole_s = min(whole_s, time.monotonic() - start)  # the first run may have been slow for another reason
        except subprocess.TimeoutExpired:
            killed += 1
        running.kill()
        running.wait()
    write(folder, "final")
    subprocess.run(ingest(folder, tmp_path / "killed.db", url), check=True, timeout=120)
    undisturbed = stored(tmp_path / "undisturbed.db", encoder)
    assert len(undisturbed) > 250
    assert stored(tmp_path / "killed.db", encoder) == undisturbed


def write(folder: Path, version: str, every: int = 1) -> None:
    """Some or all of the files, in another version."""
    for n in range(0, 40, every):
        text = " ".join(f"In the {version}, fact {k} of document {n} is {k * n}." for k in range(20 + n))
        (folder / f"{n}.txt").write_text(text)
    rows = (f'{{"_id": "r{n}", "text": "In the {version}, record {n} is {n * n}."}}\n' for n in range(0, 200, every))
    (folder / "records.jsonl").write_text("".join(rows))


def ingest(folder: Path, file: Path, url: str) -> list[str]:
    return [*COMMAND, str(folder), "--milvus", str(file), "--url", url, "--json"]


def stored(file: Path, encoder: EncoderInfo) -> list[tuple[str, int, str, str]]:
    """Every row, whatever its id."""
    store = Store(str(file), "documents")
    store.open(encoder)
    rows = store.milvus.client.query(
        "documents",
        filter="chunk_index >= 0",
        output_fields=["source", "chunk_index", "text", "content_hash"],
        limit=16_000,
    )
    store.close()
    return sorted((row["source"], row["chunk_index"], row["text"], row["content_hash"]) for row in rows)
