"""Where the text of a block comes from in a page."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from retriton_pipeline.documents.html.elements import Surroundings


@dataclass
class Origin:
    """Where the text of a block comes from.

    Attributes:
        characters: of the text, without white space at the ends of its parts.
        linked, content: as many of them as are in links, and in the element that the page marks as its content.
        boilerplate, container: as in `Surroundings`, of the last part of the text.
    """

    characters: int = 0
    linked: int = 0
    content: int = 0
    boilerplate: etree._Element | None = None
    container: etree._Element | None = None

    def add(self, characters: int, around: Surroundings) -> None:
        """Counts the ``characters`` of a part of the text with these surroundings."""
        self.characters += characters
        self.linked += characters * around.linked
        self.content += characters * around.content
        self.boilerplate, self.container = around.boilerplate, around.container

    def include(self, other: Origin) -> None:
        """Counts the characters of ``other``."""
        self.characters += other.characters
        self.linked += other.linked
        self.content += other.content
        self.boilerplate, self.container = other.boilerplate, other.container
