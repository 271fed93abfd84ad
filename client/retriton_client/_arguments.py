"""Checks of the arguments of calls, before anything is sent."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Mapping, Set
from typing import Any, TypeVar

import numpy as np

from retriton_client._exceptions import InvalidRequest

T = TypeVar("T")
TIMEOUT_S_MAX = 1e9
_INT64 = 2**63  # what a parameter can hold; the server knows the dimension of its encoder, and refuses others
_ROLES = ("query", "passage")
_TRUNCATES = ("NONE", "START", "END")
_NO_LISTS = (str, bytes, bytearray, memoryview, Mapping, Set)  # iterable, but not texts in an order


def as_list(texts: Iterable[str], name: str = "texts") -> list[Any]:
    """The elements of a list, tuple, iterator, one-dimensional array or Series.

    Raises:
        InvalidRequest: ``texts`` is something else, or has no elements.
    """
    allowed = f"{name} is a list of at least one string, or another ordered iterable of strings"
    if isinstance(texts, _NO_LISTS) or not isinstance(texts, Iterable):
        raise InvalidRequest(f"{allowed}, not {_shown(texts)}")
    if (axes := getattr(texts, "ndim", 1)) != 1:
        raise InvalidRequest(f"{allowed}, not a {type(texts).__name__} of {axes} dimensions")
    found = list(texts)
    if not found:
        raise InvalidRequest(f"{allowed}, not an empty one")
    return found


def encode_texts(texts: Iterable[str], name: str = "texts") -> list[bytes]:
    """Encodes texts as UTF-8. See `as_list`.

    Raises:
        InvalidRequest: as for `as_list`, or an element is not a string of Unicode characters; its index is in
            ``numbers``.
    """
    return [_encode(text, f"{name[:-1]} {index}", {"index": index}) for index, text in enumerate(as_list(texts, name))]


def encode_query(query: str) -> bytes:
    """Encodes a query as UTF-8. Raises `InvalidRequest` if it is not a string of Unicode characters."""
    return _encode(query, "the query", {})


def _encode(text: Any, name: str, numbers: dict[str, int | float]) -> bytes:
    try:
        if isinstance(text, str):
            return text.encode("utf-8")
        problem = f"but {_shown(text)}"
    except UnicodeEncodeError as error:
        problem = f"of Unicode characters: {error}"
    failure = InvalidRequest(f"{name} is not a string {problem}")
    failure.numbers = numbers
    raise failure


def check_role(role: Any) -> None:
    """Raises `InvalidRequest` if there is no such role."""
    if not isinstance(role, str) or role not in _ROLES:
        raise InvalidRequest(f"role is {_shown(role)}, it can be query or passage")


def truncate_parameter(truncate: str | None) -> str:
    """The parameter for ``truncate``; None is NONE. Raises `InvalidRequest` for another value."""
    value = "NONE" if truncate is None else truncate
    if not isinstance(value, str) or value.upper() not in _TRUNCATES:
        raise InvalidRequest(f"truncate is {_shown(truncate)}, it can be NONE, START, END or None")
    return str(value.upper())


def dimensions_parameter(dimensions: int | None) -> dict[str, Any]:
    """The parameter for ``dimensions``, if it is not None. Raises `InvalidRequest` if it is not an integer."""
    if dimensions is None:
        return {}
    is_integer = isinstance(dimensions, int | np.integer) and not isinstance(dimensions, bool)
    if not is_integer or not -_INT64 <= dimensions < _INT64:
        raise InvalidRequest(
            f"dimensions is {_shown(dimensions)}, it can be an integer from 1 to the encoder's dimension, or None"
        )
    return {"dimensions": int(dimensions)}


def text_parameter(name: str, value: str | None) -> dict[str, Any]:
    """The parameter ``name``, if its value is not None. Raises `InvalidRequest` if it is not a string."""
    if value is None:
        return {}
    if not isinstance(value, str):
        raise InvalidRequest(f"{name} is {_shown(value)}, it can be a string or None")
    _encode(value, name, {})
    return {name: plain(value)}


def plain(text: str) -> str:
    """A string without its subclass: ``str`` of an Enum's member is its name, not its value."""
    return str.__str__(text)


def setting(name: str, value: T | None, kind: type[T]) -> T | None:
    """The value. Raises `InvalidRequest` if it is neither None nor a ``kind``."""
    if value is not None and not isinstance(value, kind):
        raise InvalidRequest(f"{name} is {_shown(value)}, it can be {kind.__name__}(...) or None")
    return value


def seconds(timeout_s: float) -> float:
    """A timeout in seconds. Raises `InvalidRequest` if it is not a number above 0, or is longer than 30 years."""
    is_number = isinstance(timeout_s, int | float | np.integer | np.floating) and not isinstance(timeout_s, bool)
    if not is_number or not 0 < timeout_s <= TIMEOUT_S_MAX:
        raise InvalidRequest(f"timeout_s is {_shown(timeout_s)}, it can be above 0 and at most {TIMEOUT_S_MAX:.0f}")
    return float(timeout_s)


def _shown(value: Any) -> str:
    """A value in a message, with its type if that is not plain from it."""
    try:
        shown = f"{reprlib.repr(value):.60}"
    except ValueError:  # an integer of thousands of digits
        shown = "too large"
    return shown if isinstance(value, str | bytes | int | float | None) else f"{shown} ({type(value).__name__})"
