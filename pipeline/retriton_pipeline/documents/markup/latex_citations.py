"""Numbers of citations, where a LaTeX file has its references."""

from __future__ import annotations

import re

_REFERENCE = re.compile(r"\\bibitem(?:\[[^\]\n]{0,200}\])?\{([^{}\n]{0,200})\}\s{0,9}")
_CITATION = re.compile(
    r"\\(?:cite|citep|citet|parencite|textcite|autocite)\*?((?:\[[^\]\n]{0,200}\]){0,2})\s{0,9}\{([^{}]{0,500})\}"
)
_NOTE = re.compile(r"\[([^\]]*)\]")


def with_citations(body: str) -> str:
    """``body`` with the numbers of references, at these and where they are cited, as in ``[2, p. 3]``."""
    numbers: dict[str, int] = {}
    for key in _REFERENCE.findall(body):
        numbers.setdefault(key.strip(), len(numbers) + 1)

    def cited(match: re.Match[str]) -> str:
        keys = [key.strip() for key in match[2].split(",")]
        if not all(key in numbers for key in keys):
            return match[0]
        notes = [note for note in _NOTE.findall(match[1])[-1:] if note]
        return f"{{[{', '.join([*(str(numbers[key]) for key in keys), *notes])}]}}"

    body = _CITATION.sub(cited, body) if numbers else body
    return _REFERENCE.sub(lambda match: f"\n\n{{[{numbers[match[1].strip()]}]}} ", body)
