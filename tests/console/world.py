"""An Item with a token for a partner, made through the API."""

from __future__ import annotations

from typing import NamedTuple

from tests.control.plane import Planned, own_client
from tests.support.raw import Linked
from tests.support.server import Server


class Delegated(NamedTuple):
    app: Planned
    partner: Planned
    item: Linked
    token: str

    @property
    def console(self) -> str:
        return f"/console/as/{self.app.client_id}"


def delegate(server: Server) -> Delegated:
    app, partner = own_client(server), own_client(server, processors=["dwolla"])
    item = app.link("auth", "transactions")
    return Delegated(app, partner, item, app.mint(item))
