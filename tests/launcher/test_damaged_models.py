"""A model whose files are not those of its manifest is not served, and the error says which file and why."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from retriton_serving.contract.manifest import Artefact, EncoderSpec, GoldenOutput, Manifest
from retriton_serving.contract.verification import DamagedArtefact, check_digests
from retriton_serving.launcher import (
    Endpoint,
    LaunchError,
    Supervisor,
    TritonServer,
    TritonWheel,
    create_repository,
    installed_encoder,
)
from tests.conftest import SERVER_ENV

GRAPH, TOKENIZER = bytes(range(256)) * 64, b'{"model": {}}'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The version folder of an encoder with two small files, as an export writes them."""
    folder = create_repository(tmp_path / "repository") / "encoder" / "1"
    (folder / "model.onnx").write_bytes(GRAPH)
    (folder / "tokenizer.json").write_bytes(TOKENIZER)
    digest = {"model.onnx": hashlib.sha256(GRAPH).hexdigest()}
    Manifest(
        EncoderSpec("tiny", "f" * 32, 2, 16, 0, "mean", True, {"query": "", "passage": ""}),
        Artefact("onnxruntime", "fp32", "model.onnx", 18, len(GRAPH), digest),
        tokenizer_sha256=hashlib.sha256(TOKENIZER).hexdigest(),
        golden=[GoldenOutput("embed_query", ["a"], [0.6, 0.8], 0.999)],
    ).write(folder)
    return folder


def change(folder: Path) -> None:
    damage(folder / "model.onnx")


def damage(file: Path) -> None:
    """Changes 16 bytes in the middle."""
    with file.open("r+b") as stream:
        stream.seek(file.stat().st_size // 2)
        before = stream.read(16)
        stream.seek(-16, os.SEEK_CUR)
        stream.write(bytes(byte ^ 0xFF for byte in before))


def link_to_nothing(folder: Path) -> None:
    (folder / "model.onnx").unlink()
    (folder / "model.onnx").symlink_to(folder / "gone.onnx")


def make_folder(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer.json").mkdir()


def name_another(folder: Path) -> None:
    manifest = Manifest.read(folder)
    other = replace(manifest.artefact, sha256={"model.onnx": "0" * 64})
    replace(manifest, artefact=other).write(folder)


SEEN_AT_ONCE: list[tuple[Callable[[Path], object], str]] = [
    (
        lambda folder: (folder / "model.onnx").write_bytes(GRAPH[:1000]),
        r"model\.onnx: 1000 bytes, the manifest has 16384",
    ),
    (lambda folder: (folder / "model.onnx").unlink(), r"model\.onnx cannot be read: No such file"),
    (lambda folder: (folder / "tokenizer.json").unlink(), r"tokenizer\.json cannot be read: No such file"),
    (link_to_nothing, r"model\.onnx is a link to .*gone\.onnx, which does not exist"),
    (make_folder, r"tokenizer\.json cannot be read: Is a directory"),
    (lambda folder: (folder / "manifest.json").write_text("{"), r"manifest\.json cannot be read"),
    (lambda folder: (folder / "manifest.json").write_text("[]"), r"manifest\.json has format None"),
    (lambda folder: (folder / "manifest.json").write_text('{"format": 2}'), r"manifest\.json is damaged"),
    (lambda folder: (folder / "manifest.json").write_bytes(b"\xff\xfe"), r"manifest\.json cannot be read"),
]
BY_DIGEST: list[tuple[Callable[[Path], object], str]] = [
    (change, "model.onnx"),
    (lambda folder: (folder / "tokenizer.json").write_bytes(b'{"model": 1}'), "tokenizer.json"),
    (name_another, "model.onnx"),
]


@pytest.mark.parametrize(("harm", "message"), SEEN_AT_ONCE)
def test_what_is_missing_is_named_before_triton_starts(
    folder: Path, harm: Callable[[Path], object], message: str
) -> None:
    assert installed_encoder(folder.parents[1]).encoder.name == "tiny"
    harm(folder)
    with pytest.raises(LaunchError, match=message) as raised:
        installed_encoder(folder.parents[1])
    assert "retriton export" in str(raised.value)


@pytest.mark.parametrize(("harm", "name"), BY_DIGEST)
def test_a_changed_file_is_named_with_both_digests(folder: Path, harm: Callable[[Path], object], name: str) -> None:
    check_digests(folder, Manifest.read(folder))
    harm(folder)
    found = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    with pytest.raises(
        DamagedArtefact, match=rf"{name} has the SHA-256 digest {found}, the manifest has [0-9a-f]{{64}}"
    ):
        check_digests(folder, Manifest.read(folder))


def test_a_manifest_of_an_older_version_is_read(folder: Path) -> None:
    document = json.loads((folder / "manifest.json").read_text())
    del document["tokenizer_sha256"], document["golden"]
    (folder / "manifest.json").write_text(json.dumps(document))
    manifest = Manifest.read(folder)
    assert manifest.golden == []
    check_digests(folder, manifest)


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ([0.6, 0.8], ""),
        ([3.0, 4.0], ""),
        ([0.8, 0.6], "cosine"),
        ([0.0, 0.0], "nan"),
        ([float("nan"), 1.0], "nan"),
        ([1.0], "1 values"),
    ],
)
def test_a_vector_is_compared_by_cosine(values: list[float], wrong: str) -> None:
    difference = GoldenOutput("embed_query", ["a"], [0.6, 0.8], 0.999).difference(values)
    assert wrong in difference
    assert bool(difference) == bool(wrong)


def test_a_score_is_compared_by_difference() -> None:
    golden = GoldenOutput("rerank", ["q", "p"], [0.5], 0.02)
    assert golden.difference([0.51]) == ""
    assert "± 0.0200" in golden.difference([0.6])
    assert golden.difference([float("nan")])


@pytest.mark.triton
def test_triton_does_not_serve_a_damaged_model(repository: Path, tmp_path: Path) -> None:
    shutil.copytree(repository, tmp_path / "damaged")
    damage(tmp_path / "damaged" / "encoder" / "1" / "model.onnx")
    with TritonServer(TritonWheel(SERVER_ENV), tmp_path / "damaged", Endpoint.free()) as server:
        with pytest.raises(LaunchError, match=r"encoder_info: .*model\.onnx has the SHA-256 digest"):
            server.wait_ready()
        folder = server._scratch.folder
        assert folder.exists()
    assert not folder.exists()


@pytest.mark.triton
def test_a_wrong_vector_is_not_served(repository: Path, tmp_path: Path) -> None:
    shutil.copytree(repository, tmp_path / "other")
    manifest = Manifest.read(tmp_path / "other" / "encoder" / "1")
    vectors = [replace(output, values=output.values[::-1]) for output in manifest.golden]
    replace(manifest, golden=vectors).write(tmp_path / "other" / "encoder" / "1")
    started = []

    def start() -> TritonServer:
        started.append(TritonServer(TritonWheel(SERVER_ENV), tmp_path / "other", Endpoint.free()))
        return started[-1]

    def ready(server: TritonServer) -> None:
        raise AssertionError("a wrong vector is served")

    try:
        with pytest.raises(LaunchError, match=r"embed_query computes a wrong result.*its cosine .* 0\.999"):
            Supervisor(start, ready).run()
    finally:
        started[0].stop(0.0)
