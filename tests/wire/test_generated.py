from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

from treadle import wire
from treadle.wire import item, processor, sandbox
from treadle.wire.base import Request, Response
from treadle.wire.operations import OPERATIONS, Operation

ROOT = Path(__file__).resolve().parents[2]
AREAS = sorted(
    {m.name for m in pkgutil.iter_modules(wire.__path__)} - {"base", "common", "operations"}
)
needs_sdk = pytest.mark.skipif(
    importlib.util.find_spec("plaid") is None, reason="plaid-python is not installed"
)


def area_module(name: str) -> ModuleType:
    return importlib.import_module(f"treadle.wire.{name}")


def loaded_after(statement: str) -> set[str]:
    """The wire modules a fresh interpreter has loaded after one statement."""
    code = f"import sys; sys.path[:] = {sys.path!r}; {statement}; print(*sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    prefix = "treadle.wire."
    return {name[len(prefix) :] for name in answer.stdout.split() if name.startswith(prefix)}


@needs_sdk
def test_the_committed_files_are_what_the_generator_writes() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "generate_wire.py"), "--check"]
    answer = subprocess.run(command, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr


@needs_sdk
def test_every_operation_of_the_sdk_is_listed() -> None:
    plaid = importlib.import_module("plaid")
    module = importlib.import_module("plaid.api.plaid_api")
    api = module.PlaidApi(plaid.ApiClient(plaid.Configuration()))
    expected = {
        (v.settings["operation_id"], v.settings["endpoint_path"], v.settings["http_method"])
        for v in vars(api).values()
        if isinstance(v, module._Endpoint)
    }
    assert {(o.name, o.path, o.method) for o in OPERATIONS.values()} == expected


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda o: o.name)
def test_both_structs_of_an_operation_can_be_decoded(operation: Operation) -> None:
    module = area_module(operation.area)
    for name, base in ((operation.request, Request), (operation.response, Response)):
        if name is None:
            continue
        struct = getattr(module, name)
        assert issubclass(struct, base)
        msgspec.json.Decoder(struct)


def test_every_struct_can_be_decoded() -> None:
    for name in (*AREAS, "common"):
        for _, struct in inspect.getmembers(area_module(name), inspect.isclass):
            if issubclass(struct, msgspec.Struct):
                msgspec.json.Decoder(struct)


def test_keys_are_paths_unless_two_methods_share_one() -> None:
    shared = {key for key, operation in OPERATIONS.items() if key != operation.path}
    assert shared == {"PUT /fdx/consents/{consentId}/revocation"}


def test_only_the_categories_need_no_credentials() -> None:
    assert [key for key, o in OPERATIONS.items() if not o.credentials] == ["/categories/get"]


def test_a_binary_answer_has_no_struct() -> None:
    assert OPERATIONS["/asset_report/pdf/get"].response is None


def test_listing_the_operations_loads_no_models() -> None:
    assert loaded_after("import treadle.wire.operations") == {"operations"}


@pytest.mark.parametrize("area", AREAS)
def test_an_area_loads_no_other_area(area: str) -> None:
    assert loaded_after(f"import treadle.wire.{area}") <= {area, "base", "common"}


def test_requests_refuse_unknown_fields() -> None:
    body = b'{"access_token": "a", "account_id": "b", "processor": "c", "surprise": 1}'
    with pytest.raises(msgspec.ValidationError, match="surprise"):
        msgspec.json.decode(body, type=processor.ProcessorTokenCreateRequest)


def test_answers_ignore_unknown_fields() -> None:
    answer = b'{"request_id": "a", "processor_token": "b", "surprise": 1}'
    decoded = msgspec.json.decode(answer, type=processor.ProcessorTokenCreateResponse)
    assert decoded.processor_token == "b"


def test_open_fields_take_any_string() -> None:
    hints = msgspec.structs.fields(processor.ProcessorTokenPermissionsSetRequest)
    assert {f.name: f.type for f in hints}["products"] == list[str]
    assert "dwolla" in list(processor.ProcessorTokenCreateRequestProcessor)
    body = b'{"access_token": "a", "account_id": "b", "processor": "nobody"}'
    decoded = msgspec.json.decode(body, type=processor.ProcessorTokenCreateRequest)
    assert decoded.processor == "nobody"


def test_null_counts_as_absent_for_an_optional_scalar() -> None:
    body = b'{"access_token": "a", "client_id": null}'
    assert msgspec.json.decode(body, type=item.ItemGetRequest) == item.ItemGetRequest(
        access_token="a"
    )


def test_the_limits_of_a_request_are_checked() -> None:
    body = b'{"institution_id": "a", "initial_products": []}'
    with pytest.raises(msgspec.ValidationError, match="length >= 1"):
        msgspec.json.decode(body, type=sandbox.SandboxPublicTokenCreateRequest)


def test_variants_are_told_apart_by_their_tag() -> None:
    cra = area_module("cra")
    either = cra.CraIncomeInsightsProductConfig | cra.CraQualifyProductConfig
    body = b'{"product": "cra_qualify", "version": "Q1"}'
    variant = msgspec.json.decode(body, type=either)
    assert isinstance(variant, cra.CraQualifyProductConfig)
    assert msgspec.json.decode(msgspec.json.encode(variant))["product"] == "cra_qualify"


def test_webhooks_are_known_by_their_fields_whatever_their_name() -> None:
    webhooks = area_module("webhooks")
    for name in ("ItemErrorWebhook", "ProcessorTokenWebhookUpdate"):
        fields = {f.encode_name for f in msgspec.structs.fields(getattr(webhooks, name))}
        assert {"webhook_type", "webhook_code"} <= fields
