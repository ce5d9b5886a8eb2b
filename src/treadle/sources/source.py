"""Where bank data comes from, behind one Protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from treadle.bank.model import Institution, SourceAccount


class Source(Protocol):
    # Names the source in the Items that it made.
    name: str

    def institutions(self) -> Sequence[Institution]:
        """Every institution, ordered by id."""
        ...

    def institution(self, institution_id: str) -> Institution | None: ...

    async def log_in(
        self, institution: Institution, username: str, password: str
    ) -> list[SourceAccount]:
        """The accounts behind a login, in a stable order.

        Raises ApiError when the institution refuses, with the error that Link would show.
        """
        ...


class NoSource:
    """A source without institutions, for a production server that has not been given any."""

    name = "none"

    def institutions(self) -> Sequence[Institution]:
        return ()

    def institution(self, institution_id: str) -> Institution | None:
        return None

    async def log_in(
        self, institution: Institution, username: str, password: str
    ) -> list[SourceAccount]:
        raise LookupError(institution.institution_id)
