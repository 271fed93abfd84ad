"""`retriton tune`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from retriton_pipeline.cli.escaping import visible, visible_lines
from retriton_pipeline.cli.export import export_errors
from retriton_pipeline.cli.option_groups import expand
from retriton_pipeline.cli.options import LLM_OPTIONS, Json, LLMOptions
from retriton_pipeline.cli.output import print_json
from retriton_pipeline.cli.progress import steps
from retriton_pipeline.errors import InvalidOption, PipelineError

if TYPE_CHECKING:
    from retriton_pipeline.generation import LLM
    from retriton_tuning import Labels, Outcome, Pair

EXIT_NOT_ACCEPTED = 4
_PREVIEW_CHARACTERS = 600
_RECIPE = "Recipe"


@expand(llm=LLM_OPTIONS)
def tune(
    llm: LLMOptions,
    output: Annotated[Path, typer.Option(help="Folder for the tuned checkpoint and its report.")],
    data: Annotated[
        Path | None,
        typer.Argument(
            help="A folder in BEIR's layout, or JSON lines of query, passage and optionally negative.", metavar="DATA"
        ),
    ] = None,
    documents: Annotated[
        list[Path] | None,
        typer.Option(help="Documents: JSON lines with _id and text, or files and folders as for ingest. Repeat it."),
    ] = None,
    queries: Annotated[
        Path | None, typer.Option(help="A log of queries without labels: one a line, or JSON lines with text.")
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(help="The checkpoint to tune, an encoder or a cross-encoder. Default: all-MiniLM-L6-v2."),
    ] = None,
    source: Annotated[
        str,
        typer.Option(
            help="What training pairs are made of: labels, llm, queries (each logged query with its first hybrid hit, "
            "where the gap to the second is wide) or documents (a sentence and the rest of its passage). The labels of "
            "DATA then only choose and test. Default: the first of these that is there."
        ),
    ] = "",
    guard: Annotated[
        list[Path] | None,
        typer.Option(help="A further set, in BEIR's layout, on which the model must not get worse. Repeat it."),
    ] = None,
    guard_loss: Annotated[
        float, typer.Option(min=0.0, help="The most points of nDCG@10 that a guard set may lose.")
    ] = 1.0,
    judge: Annotated[
        int,
        typer.Option(
            min=0,
            help="Where nothing is labelled: ask which results of so many logged queries are relevant, at least 30. "
            "With an LLM, it is asked.",
        ),
    ] = 0,
    epochs: Annotated[int | None, typer.Option(min=1, rich_help_panel=_RECIPE, help="Passes over the pairs.")] = None,
    batch: Annotated[int | None, typer.Option(min=2, rich_help_panel=_RECIPE, help="Pairs in a batch.")] = None,
    learning_rate: Annotated[float | None, typer.Option(rich_help_panel=_RECIPE, help="The largest one.")] = None,
    hard_negatives: Annotated[
        int | None, typer.Option(min=0, rich_help_panel=_RECIPE, help="Mined negatives for each pair.")
    ] = None,
    matryoshka: Annotated[
        list[int] | None,
        typer.Option(rich_help_panel=_RECIPE, help="A shorter dimension to train as well. Repeat it."),
    ] = None,
    seed: Annotated[int, typer.Option(rich_help_panel=_RECIPE, help="Of all random choices.")] = 0,
    serve_compare: Annotated[
        bool,
        typer.Option(
            "--serve-compare",
            help="Also export the original and the tuned encoder, and compare their engines: on the test part, and on "
            "the queries of the log.",
        ),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Exit with 0 even if the model was not shown to be better.")
    ] = False,
    json_: Json = False,
) -> None:
    """Tune an encoder or a reranker on your documents.

    Queries are split by document. The model is trained on one part, chosen on the second, and tested on the third. Its
    weights are interpolated with the original's, so that it does not forget what a general set asks. The report is in
    the checkpoint: README.md and tuning.json.

    The exit code is 4 if the model was not shown to be better; `retriton export` refuses it then. A run that was
    stopped continues where it was when the same command is run again.
    """
    from retriton_tuning import SOURCES, Settings, Tuning
    from retriton_tuning.writing import check_output, work_of, write

    if source and source not in SOURCES:
        raise InvalidOption(f"--source is {source!r}: choose one of {', '.join(SOURCES)}")
    recipe = {
        "epochs": epochs, "batch": batch, "learning_rate": learning_rate, "hard_negatives": hard_negatives,
        "matryoshka": tuple(matryoshka) if matryoshka else None,
    }  # fmt: skip
    settings = Settings(source, tuple(guard or ()), guard_loss / 100, seed, recipe)
    with steps() as on_step, tuning_errors(), export_errors():
        from retriton_export import Checkpoint

        check_output(output)
        checkpoint = Checkpoint.read(base)
        labels = _labels(data, documents or [], queries, checkpoint)
        generate = partial(_generate, llm=llm.llm, seed=seed, on_step=on_step) if llm.llm else None
        run = Tuning(
            checkpoint, labels, settings, work_of(output), on_step, generate, _judge(judge, llm.llm) if judge else None
        )
        outcome = run.run()
        write(outcome, run.ranking, output)
        served = _as_served(checkpoint, output, outcome, on_step) if serve_compare else []
    _print(outcome, output, served, json_)
    if not (outcome.accepted or force):
        raise typer.Exit(EXIT_NOT_ACCEPTED)


@contextmanager
def tuning_errors() -> Iterator[None]:
    """Turns errors of tuning into those that end a command."""
    from retriton_tuning import TuningError

    try:
        yield
    except TuningError as error:
        raise PipelineError(str(error)) from error


def _as_served(checkpoint: Any, output: Path, outcome: Outcome, on_step: Callable[[str], None]) -> list[str]:
    """Lines about what both engines find."""
    from retriton_export import Checkpoint
    from retriton_tuning.served import compare

    if checkpoint.is_cross_encoder:
        return ["--serve-compare compares encoders alone"]
    found = compare(checkpoint, Checkpoint.read(str(output)), outcome.test, outcome.labels.unlabelled, on_step)
    judged = len(found.before.ndcg)
    measured = (
        f"nDCG@10 {found.before.ndcg.mean():.3f} -> {found.after.ndcg.mean():.3f}, p {found.p:.4f}" if judged else "-"
    )
    same = f"{100 * found.same:.0f} % of the first five hits are the same"
    return [f"as served: {judged} judged queries: {measured}; {same}"]


def _print(outcome: Outcome, output: Path, served: Sequence[str], json_: bool) -> None:
    from retriton_tuning.report import summary

    typer.echo(visible_lines("\n".join([summary(outcome), *served])), err=json_)
    verdict = "accepted" if outcome.accepted else "not accepted"
    typer.echo(f"{verdict}; checkpoint and report: {visible(str(output))}", err=json_)
    if json_:
        print_json(outcome.as_json())


def _labels(data: Path | None, documents: Sequence[Path], queries: Path | None, checkpoint: Any) -> Labels:
    from retriton_pipeline.cli.tune_documents import read_documents
    from retriton_tuning import Labels, read_labels, read_queries

    if data is None and not documents:
        raise InvalidOption("name DATA, or documents with --documents")
    labels = read_labels(data) if data else Labels(documents[0].stem, {})
    if documents:
        labels = labels.with_passages(*read_documents(documents, checkpoint))
    return labels.with_queries(read_queries(queries)) if queries else labels


def _generate(
    passages: Mapping[str, str], file: Path, llm: LLM, seed: int, on_step: Callable[[str], None]
) -> list[Pair]:
    from retriton_tuning.synthetic import generate

    return generate(passages, file, llm.complete, seed, on_step)


def _judge(count: int, llm: LLM | None) -> Any:
    """What judges results: the LLM, or the user on the terminal."""
    from retriton_tuning.judging import judge_queries, places_in, prompt

    def ask_llm(query: str, passages: Sequence[str]) -> list[int]:
        if llm is None:
            raise InvalidOption("no LLM is named")
        return places_in(asyncio.run(llm.complete(prompt(query, passages))), len(passages))

    def ask_user(query: str, passages: Sequence[str]) -> list[int] | None:
        typer.echo(f"\nQuery: {visible(query)}", err=True)
        for place, passage in enumerate(passages, start=1):
            typer.echo(f"[{place}] {visible(' '.join(passage.split())[:_PREVIEW_CHARACTERS])}", err=True)
        answer = typer.prompt("Relevant numbers (0: none, q: stop)", err=True)
        return None if answer.strip().lower().startswith("q") else places_in(answer, len(passages))

    def judge(queries: Any, runs: Any, passages: Any, file: Path) -> Any:
        return judge_queries(queries, runs, passages, count, file, ask_llm if llm else ask_user)

    return judge
