"""Compares the files of an installed model with its manifest: a damaged file is not served."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from retriton_serving.contract.manifest import EXPORT_AGAIN, TOKENIZER_FILE, Manifest


class DamagedArtefact(ValueError):
    """A file of a model is missing, cannot be read, or is not the one that was exported."""


def sha256(file: Path) -> str:
    """Computes the hex digest of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def check_files(folder: Path, manifest: Manifest) -> None:
    """Checks that the files exist and can be read, and their size; takes no time.

    Args:
        folder: version folder of a model.
        manifest: its manifest.

    Raises:
        DamagedArtefact: the message names the file and the way out.
    """
    files = [folder / name for name in manifest.artefact.sha256]
    for file in [*files, folder / TOKENIZER_FILE]:
        _check_readable(file)
    size = sum(file.stat().st_size for file in files)
    if size != manifest.artefact.size_bytes:
        names = ", ".join(map(str, files))
        raise DamagedArtefact(
            f"{names}: {size} bytes, the manifest has {manifest.artefact.size_bytes}: a file is cut off or replaced; "
            f"{EXPORT_AGAIN}"
        )


def check_digests(folder: Path, manifest: Manifest) -> None:
    """Reads the files, and compares their digests; takes 0.2 to 2 s for each gigabyte.

    Args:
        folder: version folder of a model.
        manifest: its manifest. One of an older version has no digest of the tokenizer, which is not checked then.

    Raises:
        DamagedArtefact: the message names the file, both digests, and the way out.
    """
    check_files(folder, manifest)
    expected = dict(_expected(manifest))
    with ThreadPoolExecutor() as pool:
        digests = pool.map(_digest, (folder / name for name in expected))
    for (name, wanted), found in zip(expected.items(), digests, strict=True):
        if found != wanted:
            raise DamagedArtefact(
                f"{folder / name} has the SHA-256 digest {found}, the manifest has {wanted}: it is damaged or of "
                f"another model; {EXPORT_AGAIN}"
            )


def _expected(manifest: Manifest) -> Iterator[tuple[str, str]]:
    yield from manifest.artefact.sha256.items()
    if manifest.tokenizer_sha256:
        yield TOKENIZER_FILE, manifest.tokenizer_sha256


def _digest(file: Path) -> str:
    try:
        return sha256(file)
    except OSError as error:
        raise DamagedArtefact(f"{file} cannot be read: {error.strerror}; {EXPORT_AGAIN}") from None


def _check_readable(file: Path) -> None:
    if file.is_symlink() and not file.exists():
        raise DamagedArtefact(f"{file} is a link to {file.readlink()}, which does not exist; {EXPORT_AGAIN}")
    try:
        with file.open("rb"):
            pass
    except OSError as error:
        raise DamagedArtefact(f"{file} cannot be read: {error.strerror}; {EXPORT_AGAIN}") from None
