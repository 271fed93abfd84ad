"""The fields of a request, by which errors name what is wrong: the server knows texts and queries, not their names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from retriton_client import InvalidRequest
from retriton_pipeline.errors import InvalidFilter, NoSuchCollection
from retriton_pipeline.gateway.errors import ApiError, api_error


@dataclass(frozen=True)
class Fields:
    """What the parts of a request are called in its API.

    Attributes:
        texts: that are embedded or ranked.
        role: of the texts.
        dimensions: number of values of each vector.
        query: that texts are ranked for.
    """

    texts: str = "input"
    role: str = "input_type"
    dimensions: str = "dimensions"
    query: str = "query"


@contextmanager
def named(fields: Fields) -> Iterator[None]:
    """Raises what the server refuses because of a text as an `ApiError` with the field of the text."""
    try:
        yield
    except InvalidRequest as error:
        param = fields.query if error.code == "QUERY_TOO_LONG" else fields.texts if "index" in error.numbers else ""
        if not param:
            raise
        raise replace(api_error(error), param=param) from error


@contextmanager
def renamed(**fields: str) -> Iterator[None]:
    """Raises an `ApiError` about one of the keys of ``fields`` as one about what the request has in its place."""
    try:
        yield
    except ApiError as error:
        if error.param not in fields:
            raise
        raise replace(error, param=fields[error.param]) from None


@contextmanager
def named_filter(field: str) -> Iterator[None]:
    """Raises an `InvalidFilter` as an `ApiError` with the field of the filter."""
    try:
        yield
    except InvalidFilter as error:
        raise replace(api_error(error), param=field) from error


@contextmanager
def named_search(prefix: str = "") -> Iterator[None]:
    """Raises an `InvalidFilter` or `NoSuchCollection` as an `ApiError` with the field; `prefix` begins its name."""
    with named_filter(f"{prefix}filter"):
        try:
            yield
        except NoSuchCollection as error:
            raise replace(api_error(error), param=f"{prefix}collection") from error
