"""All sources that a server has, told apart by institution and by Item."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from treadle.bank.model import Institution
from treadle.sources.source import Source


class Catalogue:
    """The institutions at which one client can link Items, each with the source it comes from."""

    def __init__(self, offers: list[tuple[Source, Mapping[str, Institution]]]) -> None:
        self._offers = offers

    def __iter__(self) -> Iterator[Institution]:
        for _, institutions in self._offers:
            yield from (one for name, one in institutions.items() if self.find(name) is one)

    def find(self, institution_id: str) -> Institution | None:
        """Where several sources have an institution of this id, that of the first of them."""
        for _, institutions in self._offers:
            if (found := institutions.get(institution_id)) is not None:
                return found
        return None

    def source_of(self, institution: Institution | None) -> Source:
        """The source of an institution, or that of accounts that are known by numbers alone.

        Raises LookupError when the catalogue has none.
        """
        for source, institutions in self._offers:
            if institution is None:
                if source.deposit_code is not None:
                    return source
            elif institutions.get(institution.institution_id) is institution:
                return source
        raise LookupError("no source of the catalogue has it")

    @property
    def deposit_code(self) -> str | None:
        """Of every micro-deposit, where a source acts as if it sent them."""
        codes = (source.deposit_code for source, _ in self._offers)
        return next((code for code in codes if code is not None), None)


class Sources:
    def __init__(self, *sources: Source) -> None:
        self._sources = sources
        self._by_name = {source.name: source for source in sources}

    def named(self, name: str) -> Source:
        """The source that an Item came from. Raises LookupError when the server has none such."""
        return self._by_name[name]

    async def catalogue(self, client_id: str) -> Catalogue:
        return Catalogue([(one, await one.institutions(client_id)) for one in self._sources])
