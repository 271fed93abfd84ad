"""Follow-up questions without an LLM: the conversation is added only to a question that needs it.

Adding earlier turns to every question makes self-contained questions worse. So the question is searched alone first:
if one passage stands out, the question is self-contained. Only if none does, and the conversation is related, its
vectors are added with a small weight, and its words to the BM25 query.

The constants were chosen on two multi-turn sets (docs/log.md). They are relative to the similarity of the 50th
neighbour, because encoders differ in the range of their cosines.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from retriton_pipeline.retrieval.options import Turn
from retriton_pipeline.retrieval.ranking import Ranking
from retriton_pipeline.retrieval.search import Search, expanded
from retriton_pipeline.vectors import Vectors, unit

_USER_TURNS_MAX = 8
_DECAY = 0.5  # of a turn's weight, for every later turn
_CONTEXT_WEIGHT = 0.25  # of the user's turns together, and of the last answer
_GAP_MIN = 0.35  # between the best passage and the 50th, for a self-contained question
_RELATED_MIN = -0.1  # similarity of conversation and question, relative to the 50th passage
_RANK = 50


async def search_in_conversation(
    search: Search, question: str, history: Sequence[Turn]
) -> tuple[list[Ranking], list[Ranking]]:
    """Dense and BM25 rankings for the last question of a conversation, as `Search.both` returns them."""
    asked = [turn.text for turn in history if turn.role == "user" and turn.text.strip()][-_USER_TURNS_MAX:]
    answers = [turn.text for turn in history if turn.role != "user" and turn.text.strip()][-1:]
    if not asked and not answers:
        return await search.both([question])
    vectors = await search.embed([question, *asked, *answers])
    context = _context(vectors[1 : 1 + len(asked)], vectors[1 + len(asked) :])
    dense = await search.dense(vectors[:1])
    query = question
    if _needs_context(vectors[0], context, dense[0]):
        dense = await search.dense(unit(vectors[:1] + _CONTEXT_WEIGHT * context))
        query = expanded(question, [*asked[-2:], *answers])
    return dense if search.is_dense else [], await search.bm25([query]) if search.is_bm25 else []


def _context(asked: Vectors, answers: Vectors) -> Vectors:
    """The user's turns, the last one weighted most, and the last answer, each of unit length, added."""
    weights = _DECAY ** np.arange(len(asked))[::-1, None]
    parts = [unit((weights * asked).sum(axis=0))] if len(asked) else []
    context: Vectors = np.sum([*parts, *(unit(answer) for answer in answers)], axis=0, dtype=np.float32)
    return context


def _needs_context(question: Vectors, context: Vectors, found: Ranking) -> bool:
    if not found.scores:
        return True
    near = list(found.scores.values())[:_RANK]
    far = near[-1]
    room = max(1.0 - far, 1e-6)
    related = float(unit(question) @ unit(context))
    return (near[0] - far) / room < _GAP_MIN and (related - far) / room > _RELATED_MIN
