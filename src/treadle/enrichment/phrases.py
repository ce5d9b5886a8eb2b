"""Finding known phrases among the words of a text, in one pass however many phrases there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")

# Marks a phrase that counts only where a description begins.
_ANCHOR = "^"


class Phrases(Generic[T]):
    """Phrases by their first word, so that a word that begins none costs one look-up."""

    def __init__(self, named: Iterable[tuple[str, T]]) -> None:
        self._by_first: dict[str, list[tuple[list[str], bool, T]]] = {}
        for phrase, meaning in named:
            words = phrase.removeprefix(_ANCHOR).split()
            anchored = phrase.startswith(_ANCHOR)
            self._by_first.setdefault(words[0], []).append((words, anchored, meaning))

    def find(self, words: Sequence[str], beginning: int) -> Iterator[tuple[int, int, T]]:
        """Where each phrase stands, and what it means; `beginning` is where anchored ones may."""
        by_first = self._by_first
        for start, word in enumerate(words):
            if word in by_first:
                for phrase, anchored, meaning in by_first[word]:
                    end = start + len(phrase)
                    if words[start:end] == phrase and (start == beginning or not anchored):
                        yield start, end, meaning
