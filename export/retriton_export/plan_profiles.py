"""The optimization profiles of a TensorRT plan, which cover every micro-batch of the lanes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from google.protobuf import text_format
from tritonclient.grpc.model_config_pb2 import ModelConfig

LANE_VARIANT = "python_gpu"
_SHORT_TOKENS = 64  # the first profile covers texts of up to this length, as queries are
_SHORT_USUAL_TOKENS = 32


@dataclass(frozen=True)
class Profile:
    """An optimization profile: minimum, optimum and maximum shape ``[texts, tokens]``."""

    smallest: tuple[int, int]
    usual: tuple[int, int]
    largest: tuple[int, int]


@dataclass(frozen=True)
class MicroBatchMax:
    """The largest micro-batches of a lane.

    Attributes:
        tokens: maximum number of tokens, padding included; a single longer text is a micro-batch, too.
        texts: maximum number of texts.
    """

    tokens: int
    texts: int

    @classmethod
    def of(cls, lane: Path) -> MicroBatchMax:
        """Reads the limits from the lane's configuration for GPUs."""
        file = lane / "configs" / f"{LANE_VARIANT}.pbtxt"
        config = text_format.Parse(file.read_text(encoding="utf-8"), ModelConfig())
        return cls(*(int(config.parameters[f"batch_{unit}_max"].string_value) for unit in ("tokens", "texts")))


def profiles(lanes: Sequence[MicroBatchMax], tokens_max: int) -> tuple[Profile, Profile]:
    """Computes a profile of many short texts and one of fewer long texts, which cover all micro-batches.

    Args:
        lanes: the lanes; the usual shape of short texts is that of the first, the usual shape of long texts that of
            the last.
        tokens_max: maximum number of tokens of a text.
    """
    short = min(_SHORT_TOKENS, tokens_max)
    usual_short, usual_long = min(_SHORT_USUAL_TOKENS, short), max(1, tokens_max // 2)
    texts_max = max(lane.texts for lane in lanes)
    many = max(1, min(texts_max, max(lane.tokens for lane in lanes)))
    few = min(many, max(1, max(lane.tokens for lane in lanes) // (short + 1)))
    return (
        Profile((1, 1), (_between(1, lanes[0].tokens // usual_short, many), usual_short), (many, short)),
        Profile((1, 1), (_between(1, lanes[-1].tokens // usual_long, few), usual_long), (few, tokens_max)),
    )


def _between(lowest: int, value: int, highest: int) -> int:
    return max(lowest, min(value, highest))
