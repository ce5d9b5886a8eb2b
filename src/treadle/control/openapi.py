"""The control plane described in OpenAPI 3.1, from the structs that it decodes and encodes."""

from __future__ import annotations

import inspect
from functools import cache
from typing import Any, get_type_hints

import msgspec

from treadle import __version__
from treadle.call import OpenCall
from treadle.control.answers import OpenapiResponse
from treadle.control.asking import Query
from treadle.gates import OpenGate
from treadle.http.errors import ErrorBody
from treadle.operations import OWN, Implementation, own_operation

_REFERENCE = "#/components/schemas/{name}"
_HEADERS = {"clientId": "PLAID-CLIENT-ID", "secret": "PLAID-SECRET"}


class OpenapiRequest(Query, kw_only=True):
    """Nothing is asked."""


@own_operation("/treadle/openapi.json", OpenGate(), method="GET")
async def get_openapi_json(call: OpenCall, request: OpenapiRequest) -> OpenapiResponse:
    """This description of the control plane; in production, of what is there in production."""
    return _description(sandbox=call.services.settings.sandbox)


@cache
def _description(*, sandbox: bool) -> OpenapiResponse:
    """Made once, for it takes long enough to hold others up, and anyone may ask for it."""
    implementations = [one for one in OWN.values() if sandbox or not one.sandbox_only]
    types = [response_type(one) for one in implementations]
    types += [request_type(one) for one in implementations if not one.asks_in_query]
    # Of requests in a query only the members are described, each as a parameter.
    queries = [request_type(one) for one in implementations if one.asks_in_query]
    schemas, components = msgspec.json.schema_components(
        [*types, *queries, ErrorBody], ref_template=_REFERENCE
    )
    references = dict(zip([*types, *queries], schemas, strict=False))
    paths: dict[str, Any] = {}
    for one in implementations:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, references, components)
    for query in queries:
        components.pop(query.__name__, None)
    return OpenapiResponse(
        openapi="3.1.0",
        info={"title": "Treadle's control plane", "version": __version__},
        paths=paths,
        components={
            "schemas": components,
            "securitySchemes": {
                name: {"type": "apiKey", "in": "header", "name": header}
                for name, header in _HEADERS.items()
            },
        },
    )


def _operation(
    one: Implementation, references: dict[Any, Any], components: dict[str, Any]
) -> dict[str, Any]:
    request = request_type(one)
    described: dict[str, Any] = {
        "operationId": one.handler.__name__,
        "summary": (inspect.getdoc(one.handler) or "").partition("\n")[0],
        "security": [{name: [] for name in _HEADERS}] if one.gate.needs_client else [],
    }
    if one.asks_in_query:
        fields = components[request.__name__]["properties"].items()
        described["parameters"] = [
            {"name": name, "in": "query", "required": False, "schema": schema}
            for name, schema in fields
        ]
    if one.streams:
        lines = {one.streams: {"schema": {"type": "string"}}}
        described["requestBody"] = {"required": True, "content": lines}
    elif not one.asks_in_query:
        described["requestBody"] = {"required": True, "content": _json(references[request])}
    described["responses"] = {
        "200": {"description": "The answer.", "content": _json(references[response_type(one)])},
        "default": {
            "description": "An error, in the shape of the API's.",
            "content": _json({"$ref": _REFERENCE.format(name=ErrorBody.__name__)}),
        },
    }
    return described


def request_type(implementation: Implementation) -> type[msgspec.Struct]:
    request: type[msgspec.Struct] = get_type_hints(implementation.handler)["request"]
    return request


def response_type(implementation: Implementation) -> type[msgspec.Struct]:
    response: type[msgspec.Struct] = get_type_hints(implementation.handler)["return"]
    return response


def _json(schema: Any) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
