"""A client that uses the control plane as well as the API."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from tests.support.raw import Answer, Api
from tests.support.sdk import CLIENT_ID, SECRET
from tests.support.server import Server

LISTING = {"count": 1, "offset": 0, "country_codes": ["US"]}


class Planned(Api):
    """As `Api`, and it can read the control plane."""

    def __init__(
        self, url: str, client_id: str = CLIENT_ID, secret: str = SECRET, *, keep_alive: bool = True
    ) -> None:
        super().__init__(url, client_id, secret, keep_alive=keep_alive)
        self.client_id = client_id
        self.secret = secret

    def get(self, path: str, /, **query: Any) -> Answer:
        headers = {"PLAID-CLIENT-ID": self.client_id, "PLAID-SECRET": self.secret}
        target = f"{path}?{urlencode(query)}" if query else path
        self._connection.request("GET", target, headers=headers)
        response = self._connection.getresponse()
        answer = Answer(response.status, response.read())
        if not self._keep_alive:
            self._connection.close()
        return answer

    def sandbox(self, path: str, /, **fields: Any) -> Answer:
        """Order something of the sandbox's control plane."""
        return self.post(f"/treadle/sandbox/{path}", **fields)

    def read(self, path: str, /, **query: Any) -> Answer:
        return self.get(f"/treadle/sandbox/{path}", **query)

    def list_institutions(self) -> Answer:
        return self.post("/institutions/get", **LISTING)

    def fault(self, effect: str, **fields: Any) -> dict[str, Any]:
        """Add a fault, and answer it as it was kept."""
        fault: dict[str, Any] = self.sandbox("faults", effect=effect, **fields)["fault"]
        return fault

    def faults(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.read("faults")["faults"]
        return found

    def requests(self, **query: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.read("requests", **query)["requests"]
        return found


def own_client(server: Server, *, keep_alive: bool = True, **fields: Any) -> Planned:
    """A client of the test's own, made through the control plane."""
    ready = Planned(server.url)
    made = ready.sandbox("clients", **fields)
    ready.close()
    return Planned(server.url, made["client"]["client_id"], made["secret"], keep_alive=keep_alive)


def over(server: Server, client: Planned) -> Planned:
    """The same client with a connection for each request: with several workers, any serves it."""
    return Planned(server.url, client.client_id, client.secret, keep_alive=False)
