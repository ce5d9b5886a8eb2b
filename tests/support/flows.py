"""What tests over HTTP do again and again: link an Item, mint a token, call, be refused."""

from __future__ import annotations

import copy
import functools
import importlib
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import httpx
import msgspec
from plaid.api import plaid_api

from tests.support.raw import cli
from tests.support.sdk import expect_error, plaid_client
from tests.support.server import Server
from treadle.ids import token_checksum
from treadle.operations import load_areas
from treadle.tokens.format import Shape, inspect
from treadle.wire.operations import OPERATIONS, Operation

# Without the authorities that a new client each time would read.
_HTTP = httpx.Client(trust_env=False, verify=False)

FIRST_PLATYPUS = "ins_109508"
OAUTH_BANK = "ins_127287"
DOWN_BANK = "ins_132361"
DEGRADED_BANK = "ins_132363"
UNSUPPORTED_BANK = "ins_133402"
BANK_WITHOUT_AUTH = "ins_900004"
BANK_WITHOUT_IDENTITY = "ins_900009"

# Well-formed, and nobody's.
UNKNOWN_ACCOUNT = "K" * 37

TODAY = datetime.now(UTC).date()
# All days that any test's transactions lie on.
YEARS = {"start_date": date(2015, 1, 1), "end_date": date(2035, 1, 1)}

# What an operation needs beside its token, by the name of the operation.
FURTHER_FIELDS: dict[str, dict[str, Any]] = {
    "item_products_terminate": {"reason_code": "OTHER"},
    "processor_token_create": {"account_id": UNKNOWN_ACCOUNT, "processor": "dwolla"},
    "processor_apex_processor_token_create": {"account_id": UNKNOWN_ACCOUNT},
    "processor_stripe_bank_account_token_create": {"account_id": UNKNOWN_ACCOUNT},
    "processor_token_permissions_set": {"products": ["auth"]},
    "processor_token_webhook_update": {"webhook": None},
    "signal_evaluate": {
        "account_id": UNKNOWN_ACCOUNT,
        "client_transaction_id": "debit",
        "amount": 10.0,
    },
    "signal_schedule": {
        "account_id": UNKNOWN_ACCOUNT,
        "client_transaction_id": "debit",
        "amount": 10.0,
    },
    "processor_signal_evaluate": {"client_transaction_id": "evaluated debit", "amount": 10.0},
    "processor_signal_decision_report": {
        "client_transaction_id": "decided debit",
        "initiated": True,
    },
    "processor_signal_return_report": {
        "client_transaction_id": "returned debit",
        "return_code": "R01",
    },
    "sandbox_item_fire_webhook": {"webhook_code": "LOGIN_REPAIRED"},
    "sandbox_item_set_verification_status": {
        "account_id": UNKNOWN_ACCOUNT,
        "verification_status": "automatically_verified",
    },
    "link_token_create": {
        "client_name": "Shop",
        "language": "en",
        "country_codes": ["US"],
        "user": {"client_user_id": "somebody"},
    },
    "transactions_get": YEARS,
    "processor_transactions_get": YEARS,
    "investments_transactions_get": YEARS,
    "processor_investments_transactions_get": YEARS,
    "sandbox_transactions_create": {
        "transactions": [
            {
                "date_transacted": TODAY,
                "date_posted": TODAY,
                "amount": 12.5,
                "description": "CORNER SHOP",
            }
        ]
    },
}


class Refusal(NamedTuple):
    error_type: str
    error_code: str
    message: str


_FORMAT = (
    "provided {0} token is in an invalid format. expected format: {0}-<environment>-<identifier>"
)
_UNKNOWN = "could not find matching {} token"

WRONG_KEYS = Refusal("INVALID_INPUT", "INVALID_API_KEYS", "invalid client_id or secret provided")
MALFORMED_TOKEN = {
    kind: Refusal("INVALID_INPUT", f"INVALID_{kind.upper()}_TOKEN", _FORMAT.format(kind))
    for kind in ("access", "public", "processor")
}
UNKNOWN_TOKEN = {
    kind: Refusal("INVALID_INPUT", f"INVALID_{kind.upper()}_TOKEN", _UNKNOWN.format(kind))
    for kind in ("access", "public", "processor")
}
MALFORMED_ACCOUNT = Refusal(
    "INVALID_REQUEST", "INVALID_FIELD", "account_id must be a valid account ID"
)
MALFORMED_ACCOUNTS = Refusal(
    "INVALID_REQUEST",
    "INVALID_FIELD",
    "options.account_ids must be a non-empty array of valid account ids",
)
NO_SUCH_ACCOUNT = Refusal(
    "INVALID_INPUT",
    "INVALID_ACCOUNT_ID",
    "failed to find requested account ID for requested item",
)
NO_SUCH_INSTITUTION = Refusal(
    "INVALID_INPUT", "INVALID_INSTITUTION", "invalid institution_id provided"
)
REMOVED = Refusal(
    "ITEM_ERROR",
    "ITEM_NOT_FOUND",
    "the Item cannot be found: it was removed, or access to it was withdrawn",
)
NO_AUTH_ACCOUNTS = Refusal(
    "ITEM_ERROR",
    "NO_AUTH_ACCOUNTS",
    "there are no valid checking or savings accounts associated with this Item",
)
NO_INVESTMENT_ACCOUNTS = Refusal(
    "ITEM_ERROR",
    "NO_INVESTMENT_ACCOUNTS",
    "there are no valid investment accounts associated with this Item",
)
NO_INVESTMENT_AUTH_ACCOUNTS = Refusal(
    "ITEM_ERROR",
    "NO_INVESTMENT_AUTH_ACCOUNTS",
    "there are no valid investment accounts to transfer from associated with this Item",
)
NO_LIABILITY_ACCOUNTS = Refusal(
    "ITEM_ERROR",
    "NO_LIABILITY_ACCOUNTS",
    "there are no valid liability accounts associated with this Item",
)
NOT_READY = Refusal(
    "ITEM_ERROR",
    "PRODUCT_NOT_READY",
    "the requested product is not yet ready. please provide a webhook or try the request again "
    "later",
)
LOGIN_REQUIRED = Refusal(
    "ITEM_ERROR",
    "ITEM_LOGIN_REQUIRED",
    "the login details of this item have changed (credentials, MFA, or required user action) "
    "and a user login is required to update this information. use Link's update mode to "
    "restore the item to a good state",
)


def not_authorized(product: str) -> Refusal:
    message = f'client is not authorized to access the following products: ["{product}"]'
    return Refusal("INVALID_INPUT", "INVALID_PRODUCT", message)


def not_supported(product: str) -> Refusal:
    message = f'the following products are not supported by this institution: ["{product}"]'
    return Refusal("ITEM_ERROR", "PRODUCTS_NOT_SUPPORTED", message)


class Linked(NamedTuple):
    """An Item and what its developer holds of it."""

    access_token: str
    item_id: str
    # The accounts by their mask, in the Item's order.
    accounts: dict[str, dict[str, Any]]

    def account_id(self, mask: str = "0000") -> str:
        account_id: str = self.accounts[mask]["account_id"]
        return account_id


class Keys(NamedTuple):
    client_id: str
    secret: str


@functools.cache
def implemented() -> dict[str, Operation]:
    """The operations that the server has, by name."""
    return {OPERATIONS[path].name: OPERATIONS[path] for path in load_areas()}


def request_fields(operation: Operation) -> tuple[str, ...]:
    """The names of the fields that the body of an operation may have."""
    if operation.request is None:
        return ()
    area = importlib.import_module(f"treadle.wire.{operation.area}")
    request: type[msgspec.Struct] = getattr(area, operation.request)
    return request.__struct_fields__


def token_operations(*kinds: str) -> Iterator[tuple[str, str]]:
    """Each implemented operation that takes a token of these kinds, with the kind."""
    for name, operation in sorted(implemented().items()):
        for kind in kinds:
            if f"{kind}_token" in request_fields(operation):
                yield name, kind


def call(api: plaid_api.PlaidApi, name: str, **fields: Any) -> dict[str, Any]:
    """Call an operation through the SDK, which checks both the request and the answer."""
    operation = implemented()[name]
    method = getattr(api, name)
    if operation.request is None:
        answer = method({})
    else:
        request = getattr(plaid_api, operation.request)
        # The SDK writes into the lists that it is given.
        given = copy.deepcopy(fields)
        answer = method(request(_configuration=api.api_client.configuration, **given))
    assert type(answer).__name__ == operation.response
    members: dict[str, Any] = answer.to_dict()
    assert members["request_id"]
    return members


def refused(api: plaid_api.PlaidApi, name: str, refusal: Refusal, **fields: Any) -> None:
    """Check that an operation, called through the SDK, is refused in exactly this way."""
    body = expect_error(lambda: call(api, name, **fields), refusal.error_type, refusal.error_code)
    assert body["error_message"] == refusal.message, body


def post(
    server: Server, path: str, body: dict[str, Any], keys: Keys | None = None
) -> httpx.Response:
    """Call an operation without the SDK, which lets through what the SDK would not send."""
    headers = {"PLAID-CLIENT-ID": keys.client_id, "PLAID-SECRET": keys.secret} if keys else {}
    headers["Content-Type"] = "application/json"
    # Dates go as their texts.
    content = json.dumps(body, default=str)
    return _HTTP.post(f"{server.url}{path}", content=content, headers=headers)


def link(
    api: plaid_api.PlaidApi,
    *products: str,
    institution_id: str = FIRST_PLATYPUS,
    **options: Any,
) -> Linked:
    """Make an Item of the default sandbox user; with Auth when no products are named."""
    public_token = sandbox_public_token(
        api, *products or ["auth"], institution_id=institution_id, **options
    )
    exchanged = call(api, "item_public_token_exchange", public_token=public_token)
    accounts = call(api, "accounts_get", access_token=exchanged["access_token"])["accounts"]
    return Linked(
        exchanged["access_token"],
        exchanged["item_id"],
        {account["mask"]: account for account in accounts},
    )


def sandbox_public_token(
    api: plaid_api.PlaidApi,
    *products: str,
    institution_id: str = FIRST_PLATYPUS,
    **options: Any,
) -> str:
    fields: dict[str, Any] = {"options": options} if options else {}
    created = call(
        api,
        "sandbox_public_token_create",
        institution_id=institution_id,
        initial_products=list(products),
        **fields,
    )
    public_token: str = created["public_token"]
    return public_token


def mint(
    api: plaid_api.PlaidApi, item: Linked, processor: str = "dwolla", mask: str = "0000"
) -> str:
    """A processor token for one account of an Item."""
    created = call(
        api,
        "processor_token_create",
        access_token=item.access_token,
        account_id=item.account_id(mask),
        processor=processor,
    )
    processor_token: str = created["processor_token"]
    return processor_token


def mask_for(name: str) -> str:
    """An account of the sandbox user that an operation of partners can be called for."""
    if name.startswith("processor_investments_"):
        return "6666"
    return "3333" if name == "processor_liabilities_get" else "0000"


def evaluate_first(api: plaid_api.PlaidApi, name: str, processor_token: str) -> None:
    """Evaluate the debit that an operation reports on; most report on none."""
    if name in ("processor_signal_decision_report", "processor_signal_return_report"):
        call(
            api,
            "processor_signal_evaluate",
            processor_token=processor_token,
            client_transaction_id=FURTHER_FIELDS[name]["client_transaction_id"],
            amount=10.0,
        )


def narrow(api: plaid_api.PlaidApi, processor_token: str, *products: str) -> None:
    """Set the permissions of a processor token."""
    call(
        api,
        "processor_token_permissions_set",
        processor_token=processor_token,
        products=list(products),
    )


def unknown_token(kind: str, environment: str = "sandbox") -> str:
    """A token that was never made, and whose text does not tell so."""
    entropy = UUID("5b9d6f0e-7c1a-4e35-9a4b-d20c00000000").bytes[:12]
    token = (
        f"{kind}-{environment}-{UUID(bytes=entropy + token_checksum(kind, environment, entropy))}"
    )
    assert inspect(token, kind, environment) is Shape.PLAUSIBLE
    return token


def new_client(server: Server, name: str, *arguments: str) -> Keys:
    """Create a client on a running server from the command line."""
    printed = dict(line.split() for line in manage_clients(server, "create", name, *arguments))
    return Keys(printed["client_id"], printed["secret"])


def manage_clients(server: Server, *arguments: str) -> list[str]:
    """Run `treadle client` on the store of a server; answers the lines that it prints."""
    return cli(server, "client", *arguments).splitlines()


def client_of(server: Server, keys: Keys) -> plaid_api.PlaidApi:
    return plaid_client(server, keys.client_id, keys.secret)
