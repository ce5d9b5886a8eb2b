"""The last requests of a client, as they were understood and answered."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from treadle.call import ClientCall
from treadle.clock import to_datetime
from treadle.control.answers import RequestDetails, RequestsGetResponse
from treadle.control.asking import Query
from treadle.gates import ClientGate
from treadle.operations import own_operation
from treadle.recording.rows import RECORDED, Recorded

_Count = Annotated[int, msgspec.Meta(ge=1, le=500)]
_Offset = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
_Text = Annotated[str, msgspec.Meta(max_length=200)]


class RequestsGetRequest(Query, kw_only=True):
    """Which requests; an empty text stands for any."""

    request_id: _Text = ""
    path: _Text = ""
    error_code: _Text = ""
    count: _Count = 100
    offset: _Offset = 0


@own_operation("/treadle/sandbox/requests", ClientGate(), method="GET")
async def get_sandbox_requests(
    call: ClientCall, request: RequestsGetRequest
) -> RequestsGetResponse:
    """The client's last requests; other workers' appear some moments later."""
    if call.services.requests is not None:
        await call.services.requests.flush()
    found = await call.all(
        RECORDED,
        client_id=call.client.client_id,
        request_id=request.request_id,
        path=request.path,
        error_code=request.error_code,
        after=0,
        count=request.count,
        offset=request.offset,
    )
    return RequestsGetResponse(
        requests=[_details(recorded) for recorded in found], request_id=call.request_id
    )


def _details(recorded: Recorded) -> RequestDetails:
    return RequestDetails(
        request_id=recorded.request_id,
        answered_at=to_datetime(recorded.answered_at),
        method=recorded.method,
        path=recorded.path,
        status=recorded.status,
        error_code=recorded.error_code,
        milliseconds=recorded.microseconds / 1_000,
        decision=recorded.decision,
        reason=recorded.reason,
        fault_id=recorded.fault_id,
        request=_decoded(recorded.request),
        response=_decoded(recorded.response),
    )


def _decoded(body: str | None) -> Any:
    return None if body is None else msgspec.Raw(body.encode())
