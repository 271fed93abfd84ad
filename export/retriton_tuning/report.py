"""The report of a run: Markdown for the model card, plots, and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from retriton_export.checkpoint import TUNING_FILE
from retriton_tuning.measures import Scores
from retriton_tuning.outcome import Outcome

PLOT_FILE = "tuning.png"
_CHANGED_MAX = 5  # queries that the report lists, for better and for worse


def write_report(outcome: Outcome, folder: Path, original: str) -> None:
    """Writes the model card ``README.md``, the plot, and ``tuning.json`` into a checkpoint.

    Args:
        outcome: the run.
        folder: of the checkpoint.
        original: name of the original model.
    """
    document = {
        "original": original,
        "source": outcome.source,
        "recipe": outcome.recipe.__dict__,
        "pairs": outcome.pairs,
        **outcome.as_json(),
        "reasons": reasons(outcome),
        "notes": list(outcome.notes),
        "per_query": _per_query(outcome),
    }
    if outcome.verdict:
        draw(outcome, folder / PLOT_FILE)
    (folder / "README.md").write_text("\n".join(_lines(outcome, original)) + "\n", encoding="utf-8")
    text = json.dumps(document, ensure_ascii=False, indent=1)
    (folder / TUNING_FILE).write_text(text + "\n", encoding="utf-8")


def reasons(outcome: Outcome) -> list[str]:
    """Why the model is not accepted; empty if it is."""
    return list(outcome.verdict.reasons) if outcome.verdict else ["no query is judged"]


def summary(outcome: Outcome) -> str:
    """The result for people, in a few lines."""
    lines = []
    if verdict := outcome.verdict:
        lines.append(
            f"{len(verdict.before.ndcg)} test queries: nDCG@10 {verdict.before.ndcg.mean():.3f} -> "
            f"{verdict.after.ndcg.mean():.3f} (95 % of the gain: {verdict.low:+.3f} to {verdict.high:+.3f}, "
            f"p {verdict.p:.4f}), Recall@5 {verdict.before.recall.mean():.3f} -> {verdict.after.recall.mean():.3f}"
        )
    lines += [f"guard {guard.name}: nDCG@10 {guard.before:.3f} -> {guard.after:.3f}" for guard in outcome.guards]
    lines += [f"not accepted: {reason}" for reason in reasons(outcome)]
    return "\n".join([*lines, *outcome.notes])


def draw(outcome: Outcome, file: Path) -> None:
    """Plots every test query before and after, and the measured interpolations."""
    from matplotlib.figure import Figure

    if outcome.verdict is None:
        return
    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    gains = np.sort(outcome.verdict.after.ndcg - outcome.verdict.before.ndcg)
    left.bar(range(len(gains)), gains, width=1.0)
    left.axhline(0, color="black", linewidth=0.5)
    left.set_xlabel("test queries, sorted")
    left.set_ylabel("change of nDCG@10")
    alphas = [point.alpha for point in outcome.points]
    right.plot(alphas, [point.validation for point in outcome.points], marker="o", label="validation")
    for number, guard in enumerate(outcome.guards):
        measured = [point for point in outcome.points if point.guards]
        means = [float(point.guards[number].ndcg.mean()) for point in measured]
        shares = [point.alpha for point in measured]
        right.plot(shares, means, marker=".", linestyle="--", label=f"guard {guard.name}")
    right.axvline(outcome.alpha, color="black", linewidth=0.5)
    right.set_xlabel("share of the tuned weights")
    right.set_ylabel("nDCG@10")
    right.legend(fontsize="small")
    figure.savefig(file)


def _lines(outcome: Outcome, original: str) -> Iterator[str]:
    verdict = outcome.verdict
    yield from ("---", "library_name: sentence-transformers", "tags: [retriton, sentence-similarity]", "---", "")
    yield f"# {original}, tuned on {outcome.labels.name}"
    yield ""
    yield "**Accepted.**" if outcome.accepted else f"**Not accepted:** {'; '.join(reasons(outcome))}."
    yield ""
    yield f"{outcome.pairs} training pairs from {outcome.source}; {outcome.split.sizes} queries; "
    yield f"{len(outcome.labels.passages)} passages; {outcome.alpha:g} of the tuned weights, the rest the original's."
    yield ""
    if verdict:
        yield from ("| on the test part | before | after |", "| --- | --- | --- |")
        yield _row("nDCG@10", verdict.before.ndcg.mean(), verdict.after.ndcg.mean())
        yield _row("Recall@5", verdict.before.recall.mean(), verdict.after.recall.mean())
        yield from (_row(f"guard: {guard.name}, nDCG@10", guard.before, guard.after) for guard in outcome.guards)
        if fusion := outcome.fusion:
            yield _row("hybrid with the default weight, nDCG@10", fusion.before.ndcg.mean(), fusion.fixed.ndcg.mean())
            name = f"hybrid, dense weight {fusion.dense_weight:g} after, nDCG@10"
            yield _row(name, fusion.before.ndcg.mean(), fusion.after.ndcg.mean())
            yield _row("BM25 alone, nDCG@10", fusion.bm25.ndcg.mean(), fusion.bm25.ndcg.mean())
        yield ""
        yield (
            f"Gain {100 * verdict.gain:+.1f} points of nDCG@10, 95 % confidence {100 * verdict.low:+.1f} to "
            f"{100 * verdict.high:+.1f}. Paired randomisation test: p = {verdict.p:.4f} by query, "
            f"{verdict.p_documents:.4f} by document."
        )
        yield from ("", f"![Change by query, and interpolation]({PLOT_FILE})", "")
        yield from _changed(outcome, verdict.before, verdict.after)
    yield from ("## Conditions", "")
    yield from (f"- {note}" for note in outcome.notes)
    yield f"- recipe: {', '.join(f'{key} {value}' for key, value in outcome.recipe.__dict__.items())}"
    yield f"- validation, nDCG@10 during training: {', '.join(f'{value:.3f}' for value in outcome.history)}"
    yield f"- {outcome.seconds:.0f} seconds"


def _row(name: str, before: float, after: float) -> str:
    return f"| {name} | {before:.4f} | {after:.4f} |"


def _changed(outcome: Outcome, before: Scores, after: Scores) -> Iterator[str]:
    """The queries that change most."""
    texts = list(outcome.test.queries.values())
    order = np.argsort(after.ndcg - before.ndcg, kind="stable")
    for title, places in (("Better", order[::-1]), ("Worse", order)):
        sign = 1 if title == "Better" else -1
        rows = [place for place in places[:_CHANGED_MAX] if sign * (after.ndcg[place] - before.ndcg[place]) > 0]
        if rows:
            yield from (f"| {title}: query | before | after |", "| --- | --- | --- |")
            yield from (
                _row(" ".join(texts[n].replace("|", "/").split())[:100], before.ndcg[n], after.ndcg[n]) for n in rows
            )
            yield ""


def _per_query(outcome: Outcome) -> dict[str, dict[str, float]]:
    if outcome.verdict is None:
        return {}
    before, after = outcome.verdict.before, outcome.verdict.after
    return {
        query: {
            "before": round(float(before.ndcg[place]), 4),
            "after": round(float(after.ndcg[place]), 4),
            "recall_before": round(float(before.recall[place]), 4),
            "recall_after": round(float(after.recall[place]), 4),
        }
        for place, query in enumerate(outcome.test.queries)
    }
