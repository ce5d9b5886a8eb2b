"""Statements of banks, which an app brings for its users."""

from __future__ import annotations

from tempfile import TemporaryFile
from typing import Annotated

import msgspec

from treadle.call import ClientCall
from treadle.control.asking import Flag, Query
from treadle.gates import ClientGate
from treadle.http import errors
from treadle.ingest.answers import ImportResponse
from treadle.ingest.intake import Intake
from treadle.ingest.reading import Unreadable, read_apart
from treadle.ingest.records import Id
from treadle.ingest.statement_import import STATEMENTS, ImportRefused, StatementImport
from treadle.operations import own_operation

_MAX_BODY_BYTES = 1_073_741_824


class ImportRequest(Query, kw_only=True):
    """Beside the file itself."""

    # The app's own id of the user whose accounts these are.
    user_id: Id
    # One that the app has brought.
    institution_id: Id = STATEMENTS
    # Of a CSV file, as JSON.
    mapping: Annotated[str, msgspec.Meta(max_length=10_000)] | None = None
    # With `true` nothing is kept.
    dry_run: Flag = Flag.NO


@own_operation(
    "/treadle/import",
    ClientGate(),
    takes_turn=False,
    max_body_bytes=_MAX_BODY_BYTES,
    streams="application/octet-stream",
)
async def post_import(call: ClientCall, request: ImportRequest) -> ImportResponse:
    """Import a statement: OFX, QFX, camt.053, MT940, MT942 or CSV."""
    services, client_id = call.services, call.client.client_id
    dry = request.dry_run is Flag.YES
    intake = Intake(services.store, services.keys, client_id, call.now, dry=dry)
    importing = StatementImport(
        services.store, intake, client_id, request.institution_id, request.user_id
    )
    brought = await services.sources.named("stored").institutions(client_id)
    folder = services.settings.data
    with TemporaryFile(dir=folder) as statement, TemporaryFile(dir=folder) as entries:
        if call.body is not None:
            async for piece in call.body:
                statement.write(piece)
        statement.flush()
        try:
            beginning = await read_apart(
                statement, entries, request.institution_id, request.user_id, request.mapping
            )
            institution = brought.get(request.institution_id)
            outcome = await importing.keep(institution, beginning, entries)
        except (Unreadable, ImportRefused) as refusal:
            raise errors.INVALID_BODY(problem=str(refusal)) from None
    services.wakes.set()
    return ImportResponse(**msgspec.structs.asdict(outcome), request_id=call.request_id)
