"""Whether a measure is flat: the slope of a robust line through its samples, against a bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

_WARM_UP_SHARE = 0.25


@dataclass(frozen=True)
class Flatness:
    """The verdict on one measure.

    Attributes:
        growth: of the line through the samples after the warm-up, from its first to its last sample.
        bound: the most growth that is flat.
    """

    growth: float
    bound: float

    @property
    def is_flat(self) -> bool:
        """Whether the growth is within the bound; shrinking is flat."""
        return self.growth <= self.bound


def flatness(times_s: Sequence[float], samples: Sequence[float], share: float, floor: float) -> Flatness:
    """The growth of a measure after the warm-up, which is the first quarter.

    The line is that of Theil and Sen: the median of the slopes of all pairs of samples, which single peaks do not move.

    Args:
        times_s: when the samples were taken, increasing.
        samples: as many values.
        share: growth by this share of the median is flat.
        floor: growth by this amount is always flat.

    Raises:
        ValueError: fewer than three samples are left after the warm-up.
    """
    first = times_s[0] + _WARM_UP_SHARE * (times_s[-1] - times_s[0]) if times_s else 0.0
    points = [(time, value) for time, value in zip(times_s, samples, strict=True) if time >= first]
    if len(points) < 3:
        raise ValueError(f"{len(points)} samples after the warm-up are too few to judge: at least 3 are needed")
    slopes = [(y - b) / (x - a) for i, (a, b) in enumerate(points) for x, y in points[i + 1 :] if x > a]
    growth = median(slopes) * (points[-1][0] - points[0][0])
    return Flatness(growth, max(floor, share * median(value for _, value in points)))
