"""Results of a comparison: as data, and as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from bench.peers.peer import Rates

MEASURES = ("passages", "queries", "single_queries")
RETRITON = "retriton"


def medians(rounds: Sequence[Rates]) -> dict[str, float]:
    """Median rate of each measure over the rounds. A measure that a peer does not have is left out."""
    return {
        measure: round(median(getattr(rates, measure) for rates in rounds), 2)
        for measure in MEASURES
        if all(getattr(rates, measure) is not None for rates in rounds)
    }


def ratios(ours: Sequence[Rates], theirs: Sequence[Rates]) -> dict[str, float]:
    """Median over the rounds of Retriton's rate divided by that of a peer."""
    return {
        measure: round(median(getattr(a, measure) / getattr(b, measure) for a, b in zip(ours, theirs, strict=True)), 3)
        for measure in medians(theirs)
    }


def results(
    rounds: Mapping[str, Sequence[Rates]], facts: Mapping[str, Mapping[str, Any]], skipped: Mapping[str, str]
) -> dict[str, Any]:
    """Everything as one JSON object.

    Args:
        rounds: rates by name, Retriton's included.
        facts: what else is known of each peer: its version, precision and cosine.
        skipped: reasons by peer.
    """
    ours = rounds[RETRITON]
    peers = {
        name: {**facts[name], "per_s": medians(measured), "retriton_ratio": ratios(ours, measured)}
        for name, measured in rounds.items()
        if name != RETRITON
    }
    return {RETRITON: medians(ours), "peers": peers, "skipped": dict(skipped)}


def table(found: Mapping[str, Any]) -> str:
    """Lines for people, skipped peers with their reasons included."""
    lines = [f"{'':48}" + "".join(f"{f'{measure}/s':>18} {'ratio':>6}" for measure in MEASURES) + f"{'cosine':>8}"]
    lines += [_line(RETRITON, found[RETRITON], {}, "")]
    for name, peer in found["peers"].items():
        title = f"{name} ({peer['version']})"
        lines += [_line(title, peer["per_s"], peer["retriton_ratio"], f"{peer['cosine']:8.4f}")]
    return "\n".join(lines + [f"{name}: skipped: {reason}" for name, reason in found["skipped"].items()])


def _line(title: str, rates: Mapping[str, float], ratio: Mapping[str, float], end: str) -> str:
    cells = (
        f"{rates[name]:18.1f} " + (f"{ratio[name]:6.2f}" if name in ratio else " " * 6)
        if name in rates
        else f"{'-':>18}" + " " * 7
        for name in MEASURES
    )
    return f"{title:48}" + "".join(cells) + end
