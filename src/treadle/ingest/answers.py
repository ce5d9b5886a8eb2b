"""What the operations of ingestion answer. Nothing here imports the server."""

from __future__ import annotations

from typing import Any

import msgspec

from treadle.wire.base import Response


class Problem(msgspec.Struct, frozen=True):
    """Why a line was not taken."""

    line: int
    problem: str


class IngestResponse(Response, kw_only=True):
    """What became of the lines, each counted once."""

    added: int
    changed: int
    # Those that said what was known, or deleted what was not there.
    unchanged: int
    deleted: int
    refused: int
    # The first hundred of those that were refused, in the order of the lines.
    problems: list[Problem]
    request_id: str


class IngestSchemaResponse(Response, kw_only=True):
    """JSON Schema, draft 2020-12."""

    schema: dict[str, Any]
    request_id: str


class IngestItemsCreateResponse(Response, kw_only=True):
    """A public token to be exchanged, as Link would hand it over."""

    public_token: str
    item_id: str
    # The API's ids of the accounts that are shared, by the operator's.
    account_ids: dict[str, str]
    request_id: str


class ImportResponse(Response, kw_only=True):
    """What an import has changed, or would; `unchanged` counts entries alone."""

    accounts_added: int
    accounts_changed: int
    added: int
    modified: int
    removed: int
    unchanged: int
    request_id: str
