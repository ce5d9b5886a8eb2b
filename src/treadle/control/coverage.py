"""Which operations of the API there are, for programs to read."""

from __future__ import annotations

from treadle.call import OpenCall
from treadle.control.answers import CoverageResponse, CoveredOperation
from treadle.control.asking import Query
from treadle.gates import OpenGate
from treadle.http.headers import API_VERSION
from treadle.operations import IMPLEMENTED, own_operation
from treadle.wire.operations import OPERATIONS


class CoverageRequest(Query, kw_only=True):
    """Nothing is asked."""


@own_operation("/treadle/coverage", OpenGate(), method="GET")
async def get_coverage(call: OpenCall, request: CoverageRequest) -> CoverageResponse:
    """Which operations of the API are implemented."""
    operations = [
        CoveredOperation(
            name=operation.name,
            method=operation.method,
            path=operation.path,
            area=operation.area,
            implemented=operation.path in IMPLEMENTED and operation.method == "POST",
            sandbox_only=operation.path.startswith("/sandbox/"),
        )
        for _, operation in sorted(OPERATIONS.items())
    ]
    return CoverageResponse(
        api_version=API_VERSION,
        implemented=sum(one.implemented for one in operations),
        total=len(operations),
        operations=operations,
        request_id=call.request_id,
    )
