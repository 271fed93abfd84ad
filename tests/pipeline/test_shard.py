"""Shards of a corpus."""

from __future__ import annotations

import pytest

from retriton_pipeline.errors import InvalidOption
from retriton_pipeline.ingest import IngestOptions, Shard


def test_every_file_belongs_to_one_shard_of_about_the_same_size() -> None:
    owners = [[shard for shard in range(7) if Shard(shard, 7).owns(f"/data/{n}.pdf")] for n in range(7_000)]
    assert {len(found) for found in owners} == {1}
    assert all(900 < sum(owner == [shard] for owner in owners) < 1100 for shard in range(7))


def test_the_shard_of_a_file_never_changes() -> None:
    owners = [next(index for index in range(4) if Shard(index, 4).owns(f"s3://bucket/{n}.txt")) for n in range(8)]
    assert owners == [1, 3, 0, 3, 0, 3, 0, 0]


@pytest.mark.parametrize("text", ["4/4", "0/0", "-1/4", "1", "a/b", "1/2/3", ""])
def test_invalid_shards(text: str) -> None:
    with pytest.raises(InvalidOption, match="0"):
        Shard.parse(text)


def test_shards_are_parsed() -> None:
    assert Shard.parse("3/8") == Shard(3, 8)


def test_a_shard_cannot_rebuild() -> None:
    with pytest.raises(InvalidOption, match="whichever shard ends first"):
        IngestOptions(rebuild=True, shard=Shard(0, 2))
    assert IngestOptions(rebuild=True, shard=Shard(0, 1)).rebuild
