"""Optional dependencies: which extra of Retriton installs what is missing."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager


class MissingExtra(ImportError):
    """A package of an extra is not installed; the message gives the `pip` line."""


@contextmanager
def requires(extra: str, user: str) -> Iterator[None]:
    """Names the extra where an import in the body fails because a package is not installed.

    An import that fails inside an installed package is an error of that package, or of ours, and stays as it is.

    Args:
        extra: of Retriton, for example ``rag``.
        user: what needs it, for the message.

    Raises:
        MissingExtra: a package is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if not package or importlib.util.find_spec(package):
            raise
        message = f"{user} needs the package {package!r}: pip install 'retriton[{extra}]'"
        raise MissingExtra(message, name=error.name) from error
