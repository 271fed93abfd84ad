"""What a conversation adds to a question, without an LLM.

Adding what was said before to every question makes those worse that stand for themselves. So the question is searched
alone first: where one passage stands out, it does stand for itself. Only where none does, and the conversation is about
something related, its vectors are added with a small weight, and its words beside the question's own.

The constants were chosen on two multi-turn sets (docs/log.md). They are relative to how near the 50th neighbour is:
encoders differ in where their cosines lie.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from retriton_pipeline.retrieval.options import Turn
from retriton_pipeline.retrieval.search import Search, with_more_words
from retriton_pipeline.store import ScoredChunk
from retriton_pipeline.vectors import Vectors, unit

_USER_TURNS_MAX = 8
_DECAY = 0.5  # of a turn's weight, for every turn after it
_CONTEXT_WEIGHT = 0.25  # of the users' turns together, and of the last answer
_GAP_MIN = 0.35  # between the best passage and the 50th, for the question to stand for itself
_RELATED_MIN = -0.1  # of the conversation to the question, against the 50th passage
_RANK = 50


def search_in_conversation(
    search: Search, question: str, history: Sequence[Turn]
) -> tuple[list[list[ScoredChunk]], list[list[ScoredChunk]]]:
    """Rankings by vectors and by words for the last question of a conversation, as of `Search.both`."""
    asked = [turn.text for turn in history if turn.role == "user" and turn.text.strip()][-_USER_TURNS_MAX:]
    answers = [turn.text for turn in history if turn.role != "user" and turn.text.strip()][-1:]
    if not asked and not answers:
        return search.both([question])
    vectors = search.embed([question, *asked, *answers])
    context = _context(vectors[1 : 1 + len(asked)], vectors[1 + len(asked) :])
    dense = search.dense(vectors[:1])
    words = question
    if _needs_context(vectors[0], context, dense[0]):
        dense = search.dense(unit(vectors[:1] + _CONTEXT_WEIGHT * context))
        words = with_more_words(question, [*asked[-2:], *answers])
    return dense if search.by_vectors else [], search.words([words]) if search.by_words else []


def _context(asked: Vectors, answers: Vectors) -> Vectors:
    """What was asked, the last most, and what was answered last; each of length one."""
    weights = _DECAY ** np.arange(len(asked))[::-1, None]
    parts = [unit((weights * asked).sum(axis=0))] if len(asked) else []
    context: Vectors = np.sum([*parts, *(unit(answer) for answer in answers)], axis=0, dtype=np.float32)
    return context


def _needs_context(question: Vectors, context: Vectors, found: Sequence[ScoredChunk]) -> bool:
    if not found:
        return True
    far = found[:_RANK][-1].score
    room = max(1.0 - far, 1e-6)
    related = float(unit(question) @ unit(context))
    return (found[0].score - far) / room < _GAP_MIN and (related - far) / room > _RELATED_MIN
