"""What the control plane answers, as structs that its handlers fill and its client decodes.

Nothing here imports the server, so that the client stays light.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec

from treadle.faults.rules import Effect, Moment
from treadle.link.panes import Pane
from treadle.link.protocol import PageEvent
from treadle.wire.base import Response


class MadeClient(msgspec.Struct, kw_only=True):
    """A client that was made through the control plane."""

    client_id: str
    name: str
    # The processors that it is a partner for.
    processors: list[str]
    created_at: dt.datetime


class ClientsGetResponse(Response, kw_only=True):
    """The clients that the calling one has made."""

    clients: list[MadeClient]
    request_id: str


class ClientsCreateResponse(Response, kw_only=True):
    """The credentials of the new client; its secret is shown this once."""

    client: MadeClient
    secret: str
    request_id: str


class ClientsDeleteResponse(Response, kw_only=True):
    """Nothing is left to tell."""

    request_id: str


class ClockResponse(Response, kw_only=True):
    """Where the client's clock is."""

    now: dt.datetime
    # Whether it follows the system's clock; otherwise it stands still.
    running: bool
    request_id: str


class SeedResponse(Response, kw_only=True):
    """What the client's ids and tokens derive from."""

    # The seed that this client has set; one that the server was started with is not told.
    seed: str | None
    # Whether they derive from a seed at all.
    seeded: bool
    # How many of them have been made from it.
    counter: int
    request_id: str


class FaultDetails(msgspec.Struct, kw_only=True):
    """A fault as its client sees it."""

    fault_id: str
    effect: Effect
    when: Moment
    path: str | None
    item_id: str | None
    institution_id: str | None
    # Whether it is for calls with one token, which is not kept.
    has_token: bool
    webhook_code: str | None
    error_type: str | None
    error_code: str | None
    error_message: str | None
    seconds: float
    times: int | None
    probability: float
    # How many calls or webhooks it was for, and how many it struck.
    seen: int
    hits: int
    created_at: dt.datetime


class FaultsGetResponse(Response, kw_only=True):
    """The client's faults, in the order in which they are tried."""

    faults: list[FaultDetails]
    request_id: str


class FaultsAddResponse(Response, kw_only=True):
    """The fault as it was kept."""

    fault: FaultDetails
    request_id: str


class FaultsRemovedResponse(Response, kw_only=True):
    """Nothing is left to tell."""

    request_id: str


class RequestDetails(msgspec.Struct, kw_only=True):
    """One request and its answer, with secrets, tokens and account numbers masked."""

    request_id: str
    answered_at: dt.datetime
    method: str
    path: str
    # Zero when the connection was dropped without an answer.
    status: int
    error_code: str | None
    milliseconds: float
    # What the gate decided and why; null where the call did not come that far.
    decision: str | None
    reason: str | None
    # The fault that struck the call.
    fault_id: str | None
    # Null for what was no JSON.
    request: Any
    response: Any


class RequestsGetResponse(Response, kw_only=True):
    """The newest first."""

    requests: list[RequestDetails]
    request_id: str


class CoveredOperation(msgspec.Struct, kw_only=True):
    """One operation of the API."""

    name: str
    method: str
    path: str
    area: str
    implemented: bool
    sandbox_only: bool


class CoverageResponse(Response, kw_only=True):
    """Every operation that the official Python SDK knows."""

    api_version: str
    implemented: int
    total: int
    operations: list[CoveredOperation]
    request_id: str


class OpenapiResponse(Response, kw_only=True):
    """An OpenAPI document."""

    openapi: str
    info: dict[str, str]
    paths: dict[str, Any]
    components: dict[str, Any]


class LinkExit(msgspec.Struct, kw_only=True):
    """What `onExit` would be called with."""

    error: dict[str, Any] | None
    metadata: dict[str, Any]


class LinkRunResponse(Response, kw_only=True):
    """How the session ended."""

    link_session_id: str
    # Of the first Item; null after an exit.
    public_token: str | None
    # Of every Item, where the token allows several.
    public_tokens: list[str]
    # What `onSuccess` would be called with; null after an exit.
    metadata: dict[str, Any] | None
    # What `onEvent` would be called with, in order.
    events: list[PageEvent]
    exit: LinkExit | None
    request_id: str


class LinkPlannedResponse(Response, kw_only=True):
    """Nothing is left to tell."""

    request_id: str


class LinkStateResponse(Response, kw_only=True):
    """Where a session stands."""

    link_session_id: str
    # Null once the session is finished.
    pane: Pane | None
    # All that happened so far, whether a page has been told or not.
    events: list[PageEvent]
    public_token: str | None
    metadata: dict[str, Any] | None
    exit: LinkExit | None
    request_id: str


class StateGetResponse(Response, kw_only=True):
    """The client's world as a document."""

    state: Any
    request_id: str


class ImportedToken(msgspec.Struct, kw_only=True):
    """A token that was made for one that the document names."""

    # As the document has it.
    token_id: str
    kind: str
    item_id: str
    account_id: str | None
    processor: str | None
    token: str


class StateImportResponse(Response, kw_only=True):
    """The tokens, in the order of the document."""

    tokens: list[ImportedToken]
    # What became of the ids of Items and accounts, where new ones were asked for.
    new_ids: dict[str, str]
    request_id: str


class StateResetResponse(Response, kw_only=True):
    """Nothing is left to tell."""

    request_id: str


class SnapshotDetails(msgspec.Struct, kw_only=True):
    """A snapshot of the client's world."""

    name: str
    # How many Items it has, and how much room it takes.
    items: int
    size_bytes: int
    created_at: dt.datetime


class SnapshotsGetResponse(Response, kw_only=True):
    """In the order of their names."""

    snapshots: list[SnapshotDetails]
    request_id: str


class SnapshotsSaveResponse(Response, kw_only=True):
    """The snapshot as it was kept."""

    snapshot: SnapshotDetails
    request_id: str


class SnapshotsChangedResponse(Response, kw_only=True):
    """Nothing is left to tell."""

    request_id: str


class Owed(Response):
    """A webhook that a client is owed."""

    event_id: str
    item_id: str | None
    url: str
    # The exact text that is sent.
    body: str
    # Microseconds since the Unix epoch, by the database's clock.
    recorded_at: int


class Attempt(Owed):
    """One attempt at sending it."""

    number: int
    # What has become of the webhook by now.
    state: str
    # The receiver's status or, where there is none, why.
    status: int | None
    error: str | None
    milliseconds: int


class Signed(Response):
    """A webhook with a signature that was made for this answer, as for any receiver."""

    webhook: Owed
    signature: str


class TreadleWebhooksGetResponse(Response, kw_only=True):
    """What was owed and attempted, the oldest first."""

    owed: list[Signed]
    attempts: list[Attempt]
    next: int
    request_id: str
