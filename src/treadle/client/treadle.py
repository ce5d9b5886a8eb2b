"""One client of a server, with all that the control plane offers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from treadle.client.connection import Connection
from treadle.client.control import Clients, Clock, Faults, Requests, Seed, Webhooks
from treadle.client.ingest import Ingest
from treadle.client.link import Link
from treadle.client.processor_tokens import ProcessorTokens
from treadle.client.state import Snapshots, State
from treadle.control.answers import CoverageResponse, OpenapiResponse

if TYPE_CHECKING:
    from plaid.api.plaid_api import PlaidApi

# In a test that fails, pytest shows the line that called and none of these.
__tracebackhide__ = True

_TIMEOUT_SECONDS = 15.0


class Treadle:
    """One client of a sandbox server. As a context manager it closes its connections at the end."""

    def __init__(
        self,
        base_url: str,
        client_id: str,
        secret: str,
        *,
        timeout_seconds: float = _TIMEOUT_SECONDS,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.client_id = client_id
        self.secret = secret
        self._connection = Connection(self.base_url, client_id, secret, timeout_seconds)
        self.clients = Clients(self._connection)
        self.clock = Clock(self._connection)
        self.seed = Seed(self._connection)
        self.faults = Faults(self._connection)
        self.ingest = Ingest(self._connection)
        self.link = Link(self._connection)
        self.processor_tokens = ProcessorTokens(self._connection)
        self.requests = Requests(self._connection)
        self.snapshots = Snapshots(self._connection)
        self.state = State(self._connection)
        self.webhooks = Webhooks(self._connection)

    def __repr__(self) -> str:
        return f"Treadle({self.base_url!r}, client_id={self.client_id!r})"

    def __enter__(self) -> Treadle:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def coverage(self) -> CoverageResponse:
        """Every operation of the API, and whether it is implemented."""
        return self._connection.read("/treadle/coverage", CoverageResponse)

    def openapi(self) -> OpenapiResponse:
        """The control plane described in OpenAPI."""
        return self._connection.read("/treadle/openapi.json", OpenapiResponse)

    def call(self, path: str, /, **fields: Any) -> dict[str, Any]:
        """Call any operation of the API, where an SDK would be more than is needed."""
        return self._connection.order(path, dict[str, Any], **fields)

    def plaid(self) -> PlaidApi:
        """Plaid's SDK, with this server and this client's keys."""
        try:
            import plaid
            from plaid.api import plaid_api
        except ImportError as error:
            raise ImportError("Plaid's SDK is missing: pip install plaid-python") from error
        configuration = plaid.Configuration(
            host=self.base_url, api_key={"clientId": self.client_id, "secret": self.secret}
        )
        return plaid_api.PlaidApi(plaid.ApiClient(configuration))
