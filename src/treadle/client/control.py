"""The operations of the control plane, in the groups that `docs/control-plane.md` has."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from treadle.client.connection import Group
from treadle.control.answers import (
    ClientsCreateResponse,
    ClientsDeleteResponse,
    ClientsGetResponse,
    ClockResponse,
    FaultDetails,
    FaultsAddResponse,
    FaultsGetResponse,
    FaultsRemovedResponse,
    MadeClient,
    RequestDetails,
    RequestsGetResponse,
    SeedResponse,
    TreadleWebhooksGetResponse,
)
from treadle.faults.rules import Effect, Moment

# In a test that fails, pytest shows the line that called and none of these.
__tracebackhide__ = True


class Clients(Group):
    def create(
        self,
        *,
        new_client_id: str | None = None,
        name: str = "Sandbox",
        processors: Sequence[str] = (),
    ) -> ClientsCreateResponse:
        """Make a further client; its secret is in this answer alone."""
        return self._connection.order(
            "/treadle/sandbox/clients",
            ClientsCreateResponse,
            new_client_id=new_client_id,
            name=name,
            processors=processors,
        )

    def list(self) -> Sequence[MadeClient]:
        """The clients that this one has made."""
        return self._connection.read("/treadle/sandbox/clients", ClientsGetResponse).clients

    def delete(self, made_client_id: str) -> None:
        """Delete a client that this one has made, with all that belongs to it."""
        self._connection.order(
            "/treadle/sandbox/clients/delete", ClientsDeleteResponse, made_client_id=made_client_id
        )


class Clock(Group):
    def get(self) -> ClockResponse:
        """Where the clock is, and whether it is running."""
        return self._connection.read("/treadle/sandbox/clock", ClockResponse)

    def now(self) -> dt.datetime:
        return self.get().now

    def set(self, now: dt.datetime | str) -> ClockResponse:
        """Set the clock; it stands still there. Without an offset the instant is in UTC."""
        return self._connection.order("/treadle/sandbox/clock", ClockResponse, now=now)

    def advance(
        self, *, seconds: int = 0, minutes: int = 0, hours: int = 0, days: int = 0
    ) -> ClockResponse:
        """Move the clock on; it stands still there."""
        return self._connection.order(
            "/treadle/sandbox/clock/advance",
            ClockResponse,
            seconds=seconds,
            minutes=minutes,
            hours=hours,
            days=days,
        )

    def run(self) -> ClockResponse:
        """Let the clock follow the system's."""
        return self._connection.order("/treadle/sandbox/clock/run", ClockResponse)


class Seed(Group):
    def get(self) -> SeedResponse:
        """What the client's ids and tokens derive from."""
        return self._connection.read("/treadle/sandbox/seed", SeedResponse)

    def set(self, seed: str | None) -> SeedResponse:
        """Set the seed and begin the sequence of ids anew; None makes them random."""
        return self._connection.order("/treadle/sandbox/seed", SeedResponse, seed=seed)


class Faults(Group):
    def add(
        self,
        effect: Effect | str,
        *,
        when: Moment | str = Moment.BEFORE,
        path: str | None = None,
        item_id: str | None = None,
        institution_id: str | None = None,
        token: str | None = None,
        webhook_code: str | None = None,
        error_type: str | None = None,
        error_code: str | None = None,
        error_message: str | None = None,
        seconds: float = 0.0,
        times: int | None = None,
        probability: float = 1.0,
    ) -> FaultDetails:
        """Add a fault, to be tried after those there are."""
        return self._connection.order(
            "/treadle/sandbox/faults",
            FaultsAddResponse,
            effect=effect,
            when=when,
            path=path,
            item_id=item_id,
            institution_id=institution_id,
            token=token,
            webhook_code=webhook_code,
            error_type=error_type,
            error_code=error_code,
            error_message=error_message,
            seconds=seconds,
            times=times,
            probability=probability,
        ).fault

    def list(self) -> Sequence[FaultDetails]:
        """The faults, in the order in which they are tried."""
        return self._connection.read("/treadle/sandbox/faults", FaultsGetResponse).faults

    def remove(self, fault_id: str) -> None:
        self._connection.order(
            "/treadle/sandbox/faults/remove", FaultsRemovedResponse, fault_id=fault_id
        )

    def clear(self) -> None:
        """Remove all faults."""
        self._connection.order("/treadle/sandbox/faults/clear", FaultsRemovedResponse)


class Requests(Group):
    def list(
        self,
        *,
        request_id: str = "",
        path: str = "",
        error_code: str = "",
        count: int = 100,
        offset: int = 0,
    ) -> Sequence[RequestDetails]:
        """The last requests and their answers, the newest first; an empty text stands for any."""
        return self._connection.read(
            "/treadle/sandbox/requests",
            RequestsGetResponse,
            request_id=request_id,
            path=path,
            error_code=error_code,
            count=count,
            offset=offset,
        ).requests

    def get(self, request_id: str) -> RequestDetails:
        """Raises LookupError when the server keeps no such request."""
        for request in self.list(request_id=request_id):
            return request
        raise LookupError(f"the server keeps no request {request_id} of this client")


class Webhooks(Group):
    def list(self, *, after: int | None = 0, wait_seconds: int = 0) -> TreadleWebhooksGetResponse:
        """What was owed and attempted after the `next` of an earlier answer, the oldest first.

        What is younger than half a second is told the next time. None begins now.
        """
        return self._connection.order(
            "/treadle/webhooks/get",
            TreadleWebhooksGetResponse,
            after=after,
            wait_seconds=wait_seconds,
        )
