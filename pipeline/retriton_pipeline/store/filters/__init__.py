"""Filter expressions: parsed before they are sent, because some expressions of Milvus' language end or stall Milvus.

Milvus Lite ends with a division by zero, a string with an unknown escape, or ``array_length(...) in``. It takes minutes
for a pattern with several wildcards, and ignores everything after ``OR`` in capitals. Therefore only the expressions of
`parse` are accepted, and what Milvus gets is written anew from the syntax tree.
"""

from functools import lru_cache

from retriton_pipeline.store.filters.parser import parse
from retriton_pipeline.store.filters.rendering import render

__all__ = ["canonical", "parse", "render"]


@lru_cache(maxsize=256)
def canonical(filter_: str, is_lite: bool) -> str:
    """Returns ``filter_`` as Milvus gets it; empty if ``filter_`` is blank.

    Args:
        filter_: expression as given by the user.
        is_lite: whether it is for Milvus Lite, which has no ``not``, no ``exists``, and no escapes in patterns.

    Raises:
        InvalidFilter: with the position, what was expected there, and an example.
    """
    return render(parse(filter_), is_lite) if filter_.strip() else ""
