"""The errors that Link alone answers, or shows to its user."""

from __future__ import annotations

from treadle.http.errors import CATALOGUE, ErrorKind


def _kind(
    error_type: str,
    code: str,
    message: str,
    meaning: str,
    display_message: str | None = None,
    status: int = 400,
) -> ErrorKind:
    kind = ErrorKind(error_type, code, message, meaning, status, display_message)
    CATALOGUE.append(kind)
    return kind


LINK_ACTION_NOT_OFFERED = _kind(
    "INVALID_REQUEST",
    "LINK_ACTION_NOT_OFFERED",
    "the session's pane does not offer this action",
    "A frame, or a test, is behind the session it drives. A code of Treadle's own.",
)
INVALID_CONFIGURATION = _kind(
    "INVALID_REQUEST",
    "INVALID_CONFIGURATION",
    "{problem}",
    "Fields of `/link/token/create` that do not go together.",
)
ACCESS_NOT_GRANTED = _kind(
    "ITEM_ERROR",
    "ACCESS_NOT_GRANTED",
    "the user did not grant access to their accounts",
    "The user declined at the bank's own page.",
    "You did not grant access to your accounts. Please try again and agree to share them.",
)
INCORRECT_OAUTH_NONCE = _kind(
    "OAUTH_ERROR",
    "INCORRECT_OAUTH_NONCE",
    "the oauth_state_id does not belong to a session of this link token",
    "The user returned from a bank to a Link that never sent them there.",
)
OAUTH_STATE_ID_ALREADY_PROCESSED = _kind(
    "OAUTH_ERROR",
    "OAUTH_STATE_ID_ALREADY_PROCESSED",
    "the oauth_state_id has already been processed",
    "The visit to the bank's page is over, and with it what its address could do.",
    status=208,
)
INVALID_PHONE_NUMBER = _kind(
    "INVALID_INPUT",
    "INVALID_PHONE_NUMBER",
    "the provided phone number was invalid",
    "No telephone number that a code could be sent to.",
    "The phone number was not valid. Please try again.",
)
INVALID_OTP = _kind(
    "INVALID_INPUT",
    "INVALID_OTP",
    "the provided one-time code was invalid",
    "Not the code that was sent to the user's phone; in the sandbox that is 123456.",
    "The code was not correct. Please try again.",
)
INCORRECT_DEPOSIT_VERIFICATION = _kind(
    "INVALID_INPUT",
    "INCORRECT_DEPOSIT_VERIFICATION",
    "the provided code does not match that of the deposit",
    "Not the code of the micro-deposit; three wrong ones end the verification.",
    "The code was not correct. Please try again.",
)
INVALID_NUMBERS = _kind(
    "INVALID_INPUT",
    "INVALID_NUMBERS",
    "{problem}",
    "No account can have these numbers, or not this one. Shown to the user, and a code of "
    "Treadle's own.",
)
