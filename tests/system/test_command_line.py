"""The command `retriton` as a user runs it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from retriton_client import Client
from retriton_serving.launcher import Endpoint
from tests.chat_endpoint import Says, chat_endpoint
from tests.conftest import ROOT, SERVER_ENV

pytestmark = [pytest.mark.triton, pytest.mark.milvus]
COMMAND = [str(Path(sys.executable).parent / "retriton")]


class Shell:
    """Runs `retriton` against the session's server, with a store of its own."""

    def __init__(self, url: str, folder: Path) -> None:
        self.folder = folder
        clean = {name: value for name, value in os.environ.items() if not name.startswith("RETRITON_")}
        self.environ = {
            **clean,
            "RETRITON_URL": url,
            "RETRITON_MILVUS_URI": str(folder / "milvus.db"),
            "COLUMNS": "200",
        }

    def __call__(self, *arguments: str, code: int = 0, **environ: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*COMMAND, *arguments],
            cwd=self.folder,
            env={**self.environ, **environ},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done


@pytest.fixture
def shell(url: str, tmp_path: Path) -> Shell:
    return Shell(url, tmp_path)


@pytest.fixture
def ingested(shell: Shell) -> Shell:
    shell("ingest", str(ROOT / "docs" / "samples"))
    return shell


def test_ingest_reports_and_says_by_its_code_what_was_skipped(shell: Shell) -> None:
    first = json.loads(shell("ingest", str(ROOT / "docs/samples"), "--json").stdout.splitlines()[-1])
    assert set(first) == {"documents", "chunks", "added", "unchanged", "replaced", "skipped", "seconds", "tokens_per_s"}
    assert (first["documents"], first["added"], first["skipped"]) == (4, 4, [])
    (shell.folder / "empty.txt").touch()
    second = shell("ingest", str(ROOT / "docs/samples"), "empty.txt", "--json", code=3)
    report = json.loads(second.stdout.splitlines()[-1])
    assert (report["unchanged"], report["skipped"]) == (4, [{"source": "empty.txt", "reason": "it is empty (0 bytes)"}])
    assert "skipped empty.txt: it is empty" in shell("ingest", "empty.txt", code=3).stdout


def test_search_and_ask_print_one_json_document(ingested: Shell) -> None:
    found = json.loads(ingested("search", "GPU index metrics", "--json", "-k", "2").stdout)
    assert found["passages"][0]["source"].endswith("storing.html")
    assert len(found["passages"]) == 2
    asked = json.loads(ingested("ask", "Which metric do GPU indexes know?", "--json").stdout)
    assert set(asked) == {"question", "passages", "prompt", "latency_ms"}
    assert set(asked["latency_ms"]) == {"embed", "search", "assemble", "total"}
    assert asked["passages"][0]["text"] in asked["prompt"]
    assert "storing.html" in ingested("search", "GPU index metrics").stdout


def test_ask_takes_a_budget_and_a_template(ingested: Shell) -> None:
    (ingested.folder / "mine.j2").write_text("Q={{ question }} N={{ passages | length }}")
    assert ingested("ask", "why", "--template", "mine.j2", "-k", "3").stdout.strip() == "Q=why N=3"
    assert "error: the prompt without passages" in ingested("ask", "why", "--prompt-tokens", "5", code=1).stderr


def test_ask_streams_an_answer_with_its_sources(ingested: Shell) -> None:
    with chat_endpoint(Says(("Inner ", "product ", "[1]."))) as llm:
        options = ("ask", "Which metric do GPU indexes know?", "--llm-url", llm.url, "--llm-model", "m")
        assert ingested(*options).stdout.startswith("Inner product [1].\n")
        assert json.loads(ingested(*options, "--json").stdout)["answer"] == "Inner product [1]."
    assert "Which metric" in llm.asked[0]["messages"][0]["content"]
    assert llm.asked[0]["stream"] is True


def test_answers_name_the_sources_that_they_cite(ingested: Shell) -> None:
    history = ingested.folder / "history.json"
    history.write_text('[{"role": "user", "content": "Tell me about GPU indexes."}]')
    with chat_endpoint(Says(("Inner product [1], not [7].",))) as llm:
        named = ("--llm-url", llm.url, "--llm-model", "m")
        options = ("ask", "Which metric do they know?", *named, "--history", str(history))
        answer = json.loads(ingested(*options, "--json").stdout)
        assert [entry["number"] for entry in answer["citations"]] == [1]
        assert answer["citations"][0]["source"] == answer["passages"][0]["source"]
        assert "rewrite" in answer["latency_ms"]
    assert "user: Tell me about GPU indexes." in llm.asked[0]["messages"][0]["content"]  # rewritten, then answered
    assert "The conversation so far:\nuser: Tell me about GPU indexes." in llm.asked[1]["messages"][0]["content"]


def test_ingest_can_be_tried_rebuilt_and_pruned(ingested: Shell) -> None:
    samples = str(ROOT / "docs" / "samples")
    (ingested.folder / "new.txt").write_text("A new file.")
    tried = json.loads(ingested("ingest", samples, "new.txt", "--dry-run", "--json").stdout)
    assert (tried["added"], tried["unchanged"], tried["chunks"]) == (1, 4, 1)
    assert "1 added, 0 replaced, 4 unchanged" in ingested("ingest", samples, "new.txt").stdout
    rebuilt = json.loads(ingested("ingest", samples, "new.txt", "--rebuild", "--index", "ivf_flat", "--json").stdout)
    assert (rebuilt["added"], rebuilt["unchanged"]) == (5, 0)
    assert "new.txt" in ingested("search", "a new file").stdout
    (ingested.folder / "new.txt").unlink()
    (ingested.folder / "other.txt").write_text("Another file.")
    assert json.loads(ingested("ingest", ".", "--prune", "--json", code=3).stdout)["pruned"] == 1
    assert "new.txt" not in ingested("search", "a new file").stdout
    (ingested.folder / "empty").mkdir()
    assert "contains no files: prune" in ingested("ingest", "empty", "--prune", code=1).stderr


def test_a_dry_run_makes_nothing(shell: Shell) -> None:
    tried = json.loads(shell("ingest", str(ROOT / "docs/samples"), "--dry-run", "--json").stdout)
    assert tried["added"] == 4
    assert "does not exist" in shell("search", "x", code=1).stderr


def test_errors_are_one_line_with_the_way_out(ingested: Shell) -> None:
    cases = {
        ("search", "x", "--collection", "nothing"): "no collection 'nothing'",
        ("search", "x", "--url", "127.0.0.1:9"): "127.0.0.1:9",
        ("search", "x", "--milvus", "http://127.0.0.1:9"): "Is Milvus running there?",
        ("search", " "): "the query is blank",
        ("ask", "x", "--llm-url", "http://127.0.0.1:9/v1"): "--llm-model",
        ("ask", "x", "--llm-url", "http://127.0.0.1:9/v1", "--llm-model", "m"): "http://127.0.0.1:9/v1 (m)",
        ("search", os.fsdecode(b"a\xff")): "text 0 is not a string",
        ("ingest", "nowhere"): "nowhere does not exist",
        ("ingest", "/dev/null"): "neither a file nor a folder",
        ("ingest", str(ROOT / "README.md"), "--chunk-tokens", "30", "--overlap-tokens", "0"): "leave no room",
        ("ingest", ".", "--overlap-tokens", "200"): "overlap",
        ("eval", "nowhere"): "cannot be read",
        ("eval", ".", "--mode", "best"): "mode is 'best'",
        ("ingest", ".", "--url", "127.0.0.1:9"): "127.0.0.1:9",
        ("search", "x", "--history", "nowhere"): "cannot be read",
        ("ask", "x", "--prompt-tokenizer", "./nowhere.json"): "the tokenizer ./nowhere.json cannot be loaded",
        ("ingest", ".", "--index", "hnsw", "--collection", "new"): "needs a Milvus server",
        ("export", "./nowhere"): "neither a folder nor a hub id",
        ("serve", "--model-repository", "nowhere"): "retriton export",
    }
    for arguments, message in cases.items():
        stderr = ingested(*arguments, code=1).stderr.strip()
        assert stderr.startswith("error: "), arguments
        assert stderr.count("\n") <= 1, stderr
        assert message in stderr, arguments


def test_demo_ends_with_one_json_line_and_leaves_nothing_running(shell: Shell, repository: Path) -> None:
    copied = shutil.copytree(ROOT / "docs/samples", shell.folder / "copied")
    given = ("--model-repository", str(repository), "--folder", str(shell.folder / "demo"))
    first, second, other = (
        shell("demo", "--documents", str(folder), *given, "--server-env", str(SERVER_ENV)).stdout
        for folder in (ROOT / "docs/samples", ROOT / "docs/samples", copied)
    )
    document = json.loads(first.splitlines()[-1])
    assert set(document) == {"question", "passages", "prompt", "latency_ms"}
    assert document["passages"][0]["source"].endswith("serving.md")
    assert "4 documents added" in first
    assert "0 documents added, 4 unchanged" in second
    first_score, other_score = (json.loads(out.splitlines()[-1])["passages"][0]["score"] for out in (first, other))
    assert other_score == pytest.approx(first_score, abs=0.02), "the same texts of other folders are not searched"
    port = int(re.search(r"on 127.0.0.1:(\d+)", second)[1])  # type: ignore[index]
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port))


def write_dataset(folder: Path) -> None:
    (folder / "qrels").mkdir(parents=True)
    corpus = {"d1": "Milvus stores vectors.", "d2": "Bread is baked from flour.", "d3": "", "d4": "Tea grows in Assam."}
    rows = [json.dumps({"_id": key, "title": "", "text": text}) for key, text in corpus.items()]
    (folder / "corpus.jsonl").write_text("\n".join(rows))
    queries = {"q1": "What stores vectors?", "q2": "What is bread made of?", "q3": ""}
    (folder / "queries.jsonl").write_text("\n".join(json.dumps({"_id": k, "text": t}) for k, t in queries.items()))
    (folder / "qrels" / "dev.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t1\nq2\td2\t1\nq3\td4\t1\n")


def test_eval_ends_with_one_json_line(shell: Shell) -> None:
    write_dataset(shell.folder / "tiny")
    report = json.loads(shell("eval", "tiny", "--split", "dev", RETRITON_MILVUS_URI="").stdout.splitlines()[-1])
    assert report.pop("embed_tokens_per_s") > 0
    assert report == {  # q3 is empty, has no hits, and counts as zero
        "dataset": "tiny", "split": "dev", "documents": 4, "queries": 3, "ndcg@10": 0.6667, "recall@5": 0.6667
    }  # fmt: skip


def test_eval_compares_configurations(shell: Shell) -> None:
    write_dataset(shell.folder / "tiny")
    before = {file: file.read_bytes() for file in (shell.folder / "tiny").rglob("*") if file.is_file()}
    options = ("--mode", "dense", "--mode", "bm25", "--mode", "hybrid", "--chunk-tokens", "0", "--chunk-tokens", "64")
    files = ("--per-query", "queries.jsonl", "--plot", "plot.png")
    lines = shell("eval", "tiny", "--split", "dev", *options, *files, RETRITON_MILVUS_URI="").stdout.splitlines()
    assert lines[0].split()[:4] == ["dataset", "search", "documents", "queries"]
    searches = [line.split("(dev)")[1].split("  ")[1] for line in lines[1:7]]
    assert searches[:3] == ["dense", "bm25", "hybrid"]
    assert searches[3:] == ["dense, chunks of 64", "bm25, chunks of 64", "hybrid, chunks of 64"]
    assert [json.loads(line)["ndcg@10"] for line in lines[7:]] == [0.6667] * 6
    rows = [json.loads(line) for line in (shell.folder / "queries.jsonl").read_text().splitlines()]
    assert len(rows) == 18
    assert (rows[0]["query"], rows[0]["configuration"], rows[0]["found"][0]) == ("q1", "dense", "d1")
    assert (shell.folder / "plot.png").read_bytes().startswith(b"\x89PNG")
    assert before == {file: file.read_bytes() for file in (shell.folder / "tiny").rglob("*") if file.is_file()}


def test_eval_scores_what_ingestion_makes_of_files(shell: Shell) -> None:
    write_dataset(shell.folder / "tiny")
    (shell.folder / "files").mkdir()
    for key, text in {"d1": "Milvus stores vectors.", "d2": "Bread is baked from flour."}.items():
        (shell.folder / "files" / key).with_suffix(".txt").write_text(text)
    qrels = shell.folder / "tiny" / "qrels" / "dev.tsv"
    qrels.write_text(qrels.read_text().replace("\td1\t", "\td1.txt\t").replace("\td2\t", "\td2.txt\t"))
    done = shell("eval", "tiny", "--split", "dev", "--files", "files", "--mode", "hybrid", RETRITON_MILVUS_URI="")
    assert json.loads(done.stdout.splitlines()[-1])["recall@5"] == 0.6667


def serve(repository: Path, endpoint: Endpoint) -> subprocess.Popen[bytes]:
    """`retriton serve` in a process of its own."""
    ports = ("--grpc-port", endpoint.grpc_port, "--http-port", endpoint.http_port)
    options = (*ports, "--metrics-port", endpoint.metrics_port, "--no-gateway")
    return subprocess.Popen(
        [*COMMAND, "serve", "--model-repository", repository, "--server-env", SERVER_ENV, *map(str, options)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_serve_runs_until_told_to_stop_and_frees_its_ports(repository: Path, stop: signal.Signals) -> None:
    endpoint = Endpoint.free()
    serving = serve(repository, endpoint)
    try:
        with Client(endpoint.grpc_url, timeout_s=60) as client:
            _wait_for(endpoint.ready_url)
            assert client.embed_queries(["hello"]).shape == (1, 384)
        serving.send_signal(stop)
        assert serving.wait(30) == 0
    finally:
        serving.kill()
    endpoint.check_free()


def test_a_killed_serve_takes_its_server_with_it(repository: Path) -> None:
    endpoint = Endpoint.free()
    serving = serve(repository, endpoint)
    _wait_for(endpoint.ready_url)
    serving.kill()
    serving.wait()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex((endpoint.host, endpoint.http_port)):
                return
        time.sleep(0.1)
    pytest.fail("tritonserver outlived `retriton serve`")


def _wait_for(ready_url: str, timeout_s: float = 60) -> None:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(ready_url, timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"{ready_url} was not ready within {timeout_s} s")
