"""The model repository that is served, and the sample documents: both are data of the package.

A repository has sources (``config.pbtxt``, ``configs/*.pbtxt`` and ``1/model.py`` of each model), which come with
the package, and artefacts, which `retriton export` installs beside ``model.py``. The default repository, under the
user's data folder, belongs to Retriton: its sources are always those of the installed package, so that no upgrade
serves the configuration of another version. A repository that is named, or that `create_repository` wrote, belongs
to the user, and is never changed.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from retriton_serving.contract.manifest import Manifest
from retriton_serving.contract.models import CROSS_ENCODER, ENCODER
from retriton_serving.contract.verification import check_files
from retriton_serving.launcher.errors import LaunchError

REPOSITORY_VARIABLE = "RETRITON_MODEL_REPOSITORY"
_VERSION = "1"  # of every model
_PACKAGES = Path(__file__).parents[2]  # site-packages, or the folder `serving` of a checkout


def data_folder() -> Path:
    """The user's folder for Retriton's data."""
    from platformdirs import user_data_path

    return user_data_path("retriton", appauthor=False)


def default_repository() -> Path:
    """The repository for commands that name none: RETRITON_MODEL_REPOSITORY, else one in the user's data folder.

    The latter is created on first use, and its sources are brought up to date.
    """
    if named := os.environ.get(REPOSITORY_VARIABLE):
        return Path(named)
    repository = data_folder() / "model_repository"
    update_repository(repository)
    return repository


def create_repository(target: Path) -> Path:
    """Writes a model repository to edit.

    Raises:
        LaunchError: ``target`` exists, and is not an empty folder.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise LaunchError(f"{target} exists and is not empty: name another folder")
    _copy_sources(target)
    return target


def update_repository(target: Path) -> None:
    """Makes the sources in ``target`` those of this package, and keeps installed artefacts.

    Models that this package does not have are removed: Triton would load them.
    """
    wanted = _copy_sources(target)
    models = {file.parts[0] for file in wanted}
    for folder in target.iterdir():
        if folder.is_dir() and folder.name not in models:
            shutil.rmtree(folder)
    for file in set(_sources(target)) - wanted:
        (target / file).unlink(missing_ok=True)


def installed_encoder(repository: Path) -> Manifest:
    """The manifest of the encoder in a repository.

    Raises:
        LaunchError: none is installed, or one of its files is missing, cannot be read or is cut off.
    """
    manifest = _installed(repository / ENCODER / _VERSION)
    if manifest is None:
        raise LaunchError(f"no {ENCODER} is installed in {repository}: run `retriton export` first")
    return manifest


def installed_models(repository: Path) -> list[Manifest]:
    """The manifests of the encoder and, if one is installed, the cross-encoder.

    Raises:
        LaunchError: no encoder is installed, or a file is missing or cannot be read.
    """
    cross_encoder = _installed(repository / CROSS_ENCODER / _VERSION)
    return [installed_encoder(repository), *([cross_encoder] if cross_encoder else [])]


def _installed(folder: Path) -> Manifest | None:
    """The manifest of a model whose files exist; Triton compares their contents when it loads them."""
    try:
        manifest = Manifest.read(folder)
        check_files(folder, manifest)
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise LaunchError(str(error)) from error
    return manifest


def samples_folder() -> Path:
    """The sample documents."""
    return _package_data("samples", "docs/samples")


def _package_data(in_wheel: str, in_checkout: str) -> Path:
    for folder in (_PACKAGES / "retriton" / in_wheel, _PACKAGES.parent / in_checkout):
        if folder.is_dir():
            return folder
    raise LaunchError(f"this installation of retriton has no {in_wheel}: install it again")


def _copy_sources(target: Path) -> set[Path]:
    """Copies the package's sources where they differ; returns their paths in the repository."""
    package = _package_data("model_repository", "model_repository")
    files = set(_sources(package))
    for file in files:
        _copy(package / file, target / file)
    return files


def _sources(repository: Path) -> Iterator[Path]:
    """Paths, relative to the repository, of everything that is no artefact."""
    for pattern in ("*/config.pbtxt", "*/configs/*.pbtxt", f"*/{_VERSION}/model.py"):
        for file in repository.glob(pattern):
            yield file.relative_to(repository)


def _copy(source: Path, target: Path) -> None:
    """Replaces ``target`` at once: another process may read it."""
    content = source.read_bytes()
    if target.is_file() and target.read_bytes() == content:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(name).chmod(0o644)
    Path(name).replace(target)
