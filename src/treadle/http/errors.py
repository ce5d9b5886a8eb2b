"""Every error that Treadle answers, in the API's own shape.

The catalogue is data: the type, status and message of each code stand here and nowhere else, and
`docs/errors.md` is generated from it. Messages are the ones on record where there is a record.
"""

from __future__ import annotations

import re

import msgspec

_TOKEN = re.compile(
    r"\b((?:access|public|processor|link)-(?:sandbox|development|production)-)[0-9A-Za-z-]+"
)
_DOCUMENTATION = "https://plaid.com/docs/?ref=error#"


def without_tokens(text: str) -> str:
    return _TOKEN.sub(r"\1…", text)


class ErrorKind(msgspec.Struct, frozen=True):
    """One error code: what it means and how it looks."""

    error_type: str
    error_code: str
    message: str
    meaning: str
    status: int = 400
    display_message: str | None = None

    def __call__(self, **values: str) -> ApiError:
        """The error, its message filled in."""
        return ApiError(self, self.message.format(**values))


class ApiError(Exception):
    """An answer that is an error. Handlers and stages raise it; the pipeline alone catches it."""

    def __init__(self, kind: ErrorKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        # Why, for the caller's own record of its requests; the answer does not tell it.
        self.reason: str | None = None

    def because(self, reason: str) -> ApiError:
        self.reason = reason
        return self

    def body(self, request_id: str) -> ErrorBody:
        kind = self.kind
        anchor = kind.error_type.lower().replace("_", "-") + "s"
        if not anchor.endswith("errors"):
            anchor = anchor[:-1] + "-errors"
        return ErrorBody(
            display_message=kind.display_message,
            documentation_url=_DOCUMENTATION + anchor,
            error_code=kind.error_code,
            # What a caller put in the wrong place may be a token; no answer repeats one.
            error_message=without_tokens(self.message),
            error_type=kind.error_type,
            request_id=request_id,
            suggested_action=None,
        )


class ErrorBody(msgspec.Struct):
    """The error as it goes over the wire, its members in the recorded (alphabetical) order."""

    display_message: str | None
    documentation_url: str
    error_code: str
    error_message: str
    error_type: str
    request_id: str
    suggested_action: None


CATALOGUE: list[ErrorKind] = []


def _kind(
    code: tuple[str, str],
    message: str,
    meaning: str,
    *,
    status: int = 400,
    display_message: str | None = None,
) -> ErrorKind:
    kind = ErrorKind(*code, message, meaning, status, display_message)
    CATALOGUE.append(kind)
    return kind


_ACCESS = ("INVALID_INPUT", "INVALID_ACCESS_TOKEN")
_PUBLIC = ("INVALID_INPUT", "INVALID_PUBLIC_TOKEN")
_PROCESSOR = ("INVALID_INPUT", "INVALID_PROCESSOR_TOKEN")
_INVALID_PRODUCT = ("INVALID_INPUT", "INVALID_PRODUCT")

MISSING_FIELDS = _kind(
    ("INVALID_REQUEST", "MISSING_FIELDS"),
    "the following required fields are missing: {fields}",
    "A required field is absent. Nested names are dotted.",
)
UNKNOWN_FIELDS = _kind(
    ("INVALID_REQUEST", "UNKNOWN_FIELDS"),
    "the following fields are not recognized by this endpoint: {fields}",
    "A field that the operation does not have. The whole call is refused.",
)
INVALID_FIELD = _kind(
    ("INVALID_REQUEST", "INVALID_FIELD"),
    "{problem}",
    "A field has the wrong type or format; the message names it.",
)
INVALID_BODY = _kind(
    ("INVALID_REQUEST", "INVALID_BODY"),
    "{problem}",
    "The body is not a UTF-8 JSON object, repeats a key, or is too large.",
)
INVALID_HEADERS = _kind(
    ("INVALID_REQUEST", "INVALID_HEADERS"),
    "{problem}",
    "A header is missing or cannot be accepted; the message names it.",
)
NOT_FOUND = _kind(
    ("INVALID_REQUEST", "NOT_FOUND"), "not found", "There is no such path.", status=404
)
NOT_IMPLEMENTED = _kind(
    ("INVALID_REQUEST", "NOT_IMPLEMENTED"),
    "{path} is not implemented by Treadle yet; docs/coverage.md lists what is",
    "An operation of the API that Treadle does not have yet. A code of Treadle's own.",
)
SANDBOX_ONLY = _kind(
    ("INVALID_REQUEST", "SANDBOX_ONLY"),
    "access to {path} is only available in the sandbox environment",
    "A sandbox operation, called in production.",
)
INVALID_API_KEYS = _kind(
    ("INVALID_INPUT", "INVALID_API_KEYS"),
    "invalid client_id or secret provided",
    "No client has this pair of `client_id` and `secret`.",
)
ACCESS_TOKEN_FORMAT = _kind(
    _ACCESS,
    "provided access token is in an invalid format. "
    "expected format: access-<environment>-<identifier>",
    "The text is no access token.",
)
ACCESS_TOKEN_UNKNOWN = _kind(
    _ACCESS,
    "could not find matching access token",
    "An access token that is unknown, rotated, another client's or another environment's.",
)
PUBLIC_TOKEN_FORMAT = _kind(
    _PUBLIC,
    "provided public token is in an invalid format. "
    "expected format: public-<environment>-<identifier>",
    "The text is no public token.",
)
PUBLIC_TOKEN_UNKNOWN = _kind(
    _PUBLIC,
    "could not find matching public token",
    "A public token that is unknown, exchanged already, expired or another client's.",
)
PROCESSOR_TOKEN_FORMAT = _kind(
    _PROCESSOR,
    "provided processor token is in an invalid format. "
    "expected format: processor-<environment>-<identifier>",
    "The text is no processor token.",
)
PROCESSOR_TOKEN_UNKNOWN = _kind(
    _PROCESSOR,
    "could not find matching processor token",
    "A processor token that is unknown, or not for this client to use.",
)
INVALID_ACCOUNT_ID = _kind(
    ("INVALID_INPUT", "INVALID_ACCOUNT_ID"),
    "failed to find requested account ID for requested item",
    "A well-formed account id that the Item does not have.",
)
INVALID_INSTITUTION = _kind(
    ("INVALID_INPUT", "INVALID_INSTITUTION"),
    "invalid institution_id provided",
    "There is no such institution, or not in the countries asked for.",
)
UNAUTHORIZED_PRODUCTS = _kind(
    _INVALID_PRODUCT,
    "client is not authorized to access the following products: {products}",
    "The processor token's permissions do not include the product, or the product does not "
    "exist or cannot be asked for in this call.",
)
UNKNOWN_PRODUCT = _kind(
    _INVALID_PRODUCT,
    'invalid product in products: "{product}"',
    "A product that does not exist.",
)
INTEGRATION_NOT_ENABLED = _kind(
    _INVALID_PRODUCT,
    "your API keys are not enabled for the {name} integration; {remedy}",
    "The client may not mint tokens for this processor, or no Stripe key is set up.",
)
INVALID_STRIPE_ACCOUNT = _kind(
    ("INVALID_INPUT", "INVALID_STRIPE_ACCOUNT"),
    "{problem}",
    "Stripe refused the bank account; the message is Stripe's own.",
)
INVALID_USER_TOKEN = _kind(
    ("INVALID_INPUT", "INVALID_USER_TOKEN"),
    "could not find matching user token",
    "A user token that nobody knows.",
)
INVALID_LINK_TOKEN = _kind(
    ("INVALID_INPUT", "INVALID_LINK_TOKEN"),
    "invalid link_token provided",
    "A link token that nobody knows, that expired or was used, or a session that is not there.",
)
RECAPTCHA_BAD = _kind(
    ("RECAPTCHA_ERROR", "RECAPTCHA_BAD"),
    "the answer to the challenge was not accepted",
    "Asked for by a sandbox login with `recaptcha` set to `bad`.",
    display_message="The answer was not accepted. Please try again.",
)
DIRECT_INTEGRATION_NOT_ENABLED = _kind(
    ("INVALID_INPUT", "DIRECT_INTEGRATION_NOT_ENABLED"),
    "this client can only create items through Link",
    "Items can be created without Link in the sandbox alone.",
)
INVALID_WEBHOOK_VERIFICATION_KEY_ID = _kind(
    ("INVALID_INPUT", "INVALID_WEBHOOK_VERIFICATION_KEY_ID"),
    "invalid key_id; key ids belong to one environment",
    "No webhook of this environment was ever signed with such a key.",
)
USER_NOT_FOUND = _kind(
    ("USER_ERROR", "USER_NOT_FOUND"), "could not find matching user", "A user id nobody knows."
)
ITEM_NOT_FOUND = _kind(
    ("ITEM_ERROR", "ITEM_NOT_FOUND"),
    "the Item cannot be found: it was removed, or access to it was withdrawn",
    "The token belonged to an Item that has been removed.",
)
NO_AUTH_ACCOUNTS = _kind(
    ("ITEM_ERROR", "NO_AUTH_ACCOUNTS"),
    "there are no valid checking or savings accounts associated with this Item",
    "No debitable checking, savings or cash management account is among those asked for.",
)
NO_INVESTMENT_ACCOUNTS = _kind(
    ("ITEM_ERROR", "NO_INVESTMENT_ACCOUNTS"),
    "there are no valid investment accounts associated with this Item",
    "No account of type investment is among those asked for.",
)
NO_INVESTMENT_AUTH_ACCOUNTS = _kind(
    ("ITEM_ERROR", "NO_INVESTMENT_AUTH_ACCOUNTS"),
    "there are no valid investment accounts to transfer from associated with this Item",
    "No account of type investment is among those asked for.",
)
NO_LIABILITY_ACCOUNTS = _kind(
    ("ITEM_ERROR", "NO_LIABILITY_ACCOUNTS"),
    "there are no valid liability accounts associated with this Item",
    "No credit card, PayPal credit or loan account is among those asked for.",
)
ITEM_NOT_SUPPORTED = _kind(
    ("ITEM_ERROR", "ITEM_NOT_SUPPORTED"),
    "this account is currently not supported",
    "The processor cannot use this Item's country, currency or account type.",
    display_message="The given account is not supported at this time.",
)
PRODUCTS_NOT_SUPPORTED = _kind(
    ("ITEM_ERROR", "PRODUCTS_NOT_SUPPORTED"),
    "the following products are not supported by this institution: {products}",
    "The Item's institution does not offer the product.",
)
PRODUCT_NOT_ENABLED = _kind(
    ("ITEM_ERROR", "PRODUCT_NOT_ENABLED"),
    "the {product} product has not been initialized for this item; call one of the product's "
    "own endpoints first, or name it when the item is created",
    "The operation only works on a product that the Item already uses.",
)
PRODUCT_NOT_READY = _kind(
    ("ITEM_ERROR", "PRODUCT_NOT_READY"),
    "the requested product is not yet ready. please provide a webhook or try the request again "
    "later",
    "The product was begun a moment ago and its data is not there yet.",
)
TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION = _kind(
    ("TRANSACTIONS_ERROR", "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION"),
    "underlying transaction data changed since last page was fetched. please restart pagination "
    "from last update",
    "A transaction changed between two pages: begin again with the cursor of the first page.",
)
CLIENT_TRANSACTION_ID_ALREADY_IN_USE = _kind(
    ("SIGNAL_ERROR", "CLIENT_TRANSACTION_ID_ALREADY_IN_USE"),
    "client_transaction_id is already in use for another transaction",
    "The client used this id for a debit of another account or amount.",
)
RULESET_NOT_FOUND = _kind(
    ("SIGNAL_ERROR", "RULESET_NOT_FOUND"),
    "could not find a ruleset with the provided ruleset_key",
    "There is no such ruleset; docs/signal.md lists them.",
)
SIGNAL_TRANSACTION_NOT_INITIATED = _kind(
    ("SIGNAL_ERROR", "SIGNAL_TRANSACTION_NOT_INITIATED"),
    "a transaction that was reported as not initiated cannot be returned",
    "A return of a debit that, by its last decision report, was never begun.",
)
LAST_UPDATED_DATETIME_OUT_OF_RANGE = _kind(
    ("INVALID_RESULT", "LAST_UPDATED_DATETIME_OUT_OF_RANGE"),
    "requested datetime out of range, most recently updated balance {newest}",
    "No balance is as fresh as `options.min_last_updated_datetime` asks.",
)
RATE_LIMIT = _kind(
    ("RATE_LIMIT_EXCEEDED", "RATE_LIMIT"),
    "rate limit exceeded for attempts to access this resource. please try again later",
    "The server has as many requests in flight as it takes, or too many changes met at once.",
    status=429,
)
SANDBOX_LIMIT_REACHED = _kind(
    ("SANDBOX_ERROR", "SANDBOX_LIMIT_REACHED"),
    "there can be at most {limit} {things}; remove some first",
    "The sandbox control plane keeps a bounded number of each thing. A code of Treadle's own.",
)
INTERNAL_SERVER_ERROR = _kind(
    ("API_ERROR", "INTERNAL_SERVER_ERROR"),
    "an unexpected error occurred",
    "A failure of Treadle's or of a service behind it; the log holds it under the request id.",
    status=500,
)


def _forced(error_type: str, code: str, message: str, display: str | None) -> None:
    meaning = f"Asked for by the sandbox password `error_{code}`, or the Item's own state."
    FORCED[code] = _kind((error_type, code), message, meaning, display_message=display)


# What an Item can be in, and what a sandbox login can be made to answer.
FORCED: dict[str, ErrorKind] = {}

_RETRY = "The provided credentials were not correct. Please try again."
INVALID_UPDATED_USERNAME = _kind(
    ("ITEM_ERROR", "INVALID_UPDATED_USERNAME"),
    "the username provided does not match that of the existing item",
    "In Link's update mode, a login of another user than the Item's.",
    display_message="This is not the user that the account was connected by.",
)
_INSTITUTION_SILENT = (
    "this institution is not currently responding to this request. please try again soon"
)
_INSTITUTION_DISPLAY = "This financial institution is not responding. Please try again later."

_forced("ITEM_ERROR", "INVALID_CREDENTIALS", "the provided credentials were not correct", _RETRY)
_forced("ITEM_ERROR", "INVALID_MFA", "the provided MFA response(s) were not correct", _RETRY)
_forced("ITEM_ERROR", "INVALID_SEND_METHOD", "the provided MFA send_method was invalid", None)
_forced(
    "ITEM_ERROR",
    "ITEM_LOCKED",
    "the account is locked and must be unlocked at the institution",
    "The given account has been locked. Unlock it with your bank and try again.",
)
_forced(
    "ITEM_ERROR",
    "ITEM_LOGIN_REQUIRED",
    "the login details of this item have changed (credentials, MFA, or required user action) "
    "and a user login is required to update this information. use Link's update mode to "
    "restore the item to a good state",
    None,
)
FORCED["ITEM_NOT_SUPPORTED"] = ITEM_NOT_SUPPORTED
_forced(
    "ITEM_ERROR",
    "MFA_NOT_SUPPORTED",
    "this account's type of multi-factor authentication is not supported",
    "The multi-factor security of this account is not supported.",
)
_forced(
    "ITEM_ERROR",
    "NO_ACCOUNTS",
    "no valid accounts were found for this item",
    "No valid accounts were found at the financial institution.",
)
_forced(
    "ITEM_ERROR",
    "USER_SETUP_REQUIRED",
    "the account has not been fully set up at the institution",
    "The given account is not fully set up. Finish setting it up with your bank and try again.",
)
_forced("ITEM_ERROR", "USER_INPUT_TIMEOUT", "user must retry this operation", "Please try again.")
for _code in ("DOWN", "NOT_RESPONDING", "NOT_AVAILABLE"):
    _forced("INSTITUTION_ERROR", f"INSTITUTION_{_code}", _INSTITUTION_SILENT, _INSTITUTION_DISPLAY)
_forced(
    "INSTITUTION_ERROR",
    "INSTITUTION_NO_LONGER_SUPPORTED",
    "this institution is no longer supported",
    "This financial institution is no longer supported.",
)
