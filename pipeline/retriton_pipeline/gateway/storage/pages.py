"""Pages of records, as OpenAI's lists have them: a limit, an order, and the id before or after the page."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from retriton_pipeline.errors import PipelineError

T = TypeVar("T")
Order = Literal["asc", "desc"]


@dataclass(frozen=True)
class Cursor:
    """Which page of a list is meant.

    Attributes:
        limit: records of the page.
        order: by creation; ``desc`` has the latest first.
        after: id of the record before the page; empty for the first page.
        before: id of the record after the page; empty if it does not matter.
    """

    limit: int
    order: Order = "desc"
    after: str = ""
    before: str = ""


@dataclass(frozen=True)
class Page(Generic[T]):
    """A page of records; ``has_more`` says whether more follow in the direction that was asked for."""

    records: list[T]
    has_more: bool


class UnknownCursor(PipelineError):
    """The list has no record with the id of the cursor, and had none lately.

    Attributes:
        field: `after` or `before`.
    """

    def __init__(self, field: str, id_: str) -> None:
        super().__init__(f"{field} is {id_[:100]!r}: the list has no such id")
        self.field = field


def page_of(
    connection: sqlite3.Connection,
    table: str,
    scope: tuple[str, str],
    conditions: dict[str, Any],
    cursor: Cursor,
    record: Callable[[sqlite3.Row], T],
) -> Page[T]:
    """The page of a list's records that meet all conditions.

    A record that was deleted, or no longer meets the conditions, since the page before still marks its place: clients
    delete what they list, page by page.

    Args:
        connection: of the database.
        table: has the columns ``seq``, in the order of creation, and ``id``.
        scope: column and value that all records of the list have.
        conditions: values by column; None leaves a column out.
        cursor: which page.
        record: makes a record of a row.

    Raises:
        UnknownCursor: ``after`` or ``before`` is not the id of a record of the list.
    """
    given = dict([scope]) | {column: value for column, value in conditions.items() if value is not None}
    where, values = [f"{column} = ?" for column in given], list(given.values())
    is_ascending = cursor.order == "asc"
    for name, id_, follows in (("after", cursor.after, is_ascending), ("before", cursor.before, not is_ascending)):
        if id_:
            where.append(f"seq {'>' if follows else '<'} ?")
            values.append(_place(connection, table, scope, id_, name))
    is_backwards = bool(cursor.before) and not cursor.after  # the nearest ones before that record
    order = "ASC" if is_ascending != is_backwards else "DESC"
    query = f"SELECT * FROM {table} WHERE {' AND '.join(where)} ORDER BY seq {order} LIMIT ?"  # noqa: S608 - no input
    rows = connection.execute(query, [*values, cursor.limit + 1]).fetchall()
    kept = rows[: cursor.limit]
    records = [record(row) for row in (reversed(kept) if is_backwards else kept)]
    return Page(records, len(rows) > cursor.limit)


def _place(connection: sqlite3.Connection, table: str, scope: tuple[str, str], id_: str, name: str) -> int:
    column, value = scope
    row = connection.execute(
        f"SELECT seq FROM {table} WHERE {column} = ? AND id = ?"  # noqa: S608 - no input
        " UNION ALL SELECT seq FROM deleted WHERE list = ? AND scope = ? AND id = ?",
        (value, id_, table, value, id_),
    ).fetchone()
    if row is None:
        raise UnknownCursor(name, id_)
    return int(row["seq"])
