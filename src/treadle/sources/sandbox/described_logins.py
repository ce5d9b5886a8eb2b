"""Logins whose data is described: custom users in their password, personas in a file."""

from __future__ import annotations

import msgspec
from msgspec import structs

from treadle.http.errors import (
    FORCED,
    INTERNAL_SERVER_ERROR,
    INVALID_LINK_TOKEN,
    RECAPTCHA_BAD,
)
from treadle.sources.sandbox.challenges import Questioning, devices, questions, selections
from treadle.sources.sandbox.custom.completing import complete_user
from treadle.sources.sandbox.custom.parsing import (
    MAX_BYTES,
    CustomUserError,
    parse_custom_user,
)
from treadle.sources.sandbox.custom.schema import CustomUser
from treadle.sources.sandbox.described import DescribedUser
from treadle.sources.sandbox.dynamic import DynamicUser
from treadle.sources.sandbox.personas import Persona, personas
from treadle.sources.sandbox.user import SandboxLogin, SandboxUser
from treadle.sources.source import MalformedPassword

_CUSTOM_USERNAME = "user_custom"
_DYNAMIC_USERNAME = "user_transactions_dynamic"
# What is filled in makes a user larger than what was written of it.
_MAX_COMPLETED_BYTES = 40 * MAX_BYTES

# The codes that a custom user can ask for beside those that a password can.
_FORCED = {
    **FORCED,
    "INVALID_LINK_TOKEN": INVALID_LINK_TOKEN,
    "PLAID_ERROR": INTERNAL_SERVER_ERROR,
}

_decode_custom_user = msgspec.json.Decoder(CustomUser).decode


def completed(login: SandboxLogin, seed: str) -> SandboxLogin:
    """The login as it is kept: with the whole of a custom user instead of what its password says.

    Raises ApiError when the custom user asks for an error, MalformedPassword when it is none.
    """
    if login.username != _CUSTOM_USERNAME:
        return login
    user = _parse(login.password)
    if user.force_error is not None:
        raise _FORCED[user.force_error]()
    if user.recaptcha == "bad":
        raise RECAPTCHA_BAD()
    whole = complete_user(user, seed, login.country, login.created)
    return structs.replace(login, password=msgspec.json.encode(whole).decode())


def recompleted(login: SandboxLogin) -> SandboxLogin:
    """A completed login that was kept elsewhere. Raises MalformedPassword for a broken one."""
    if login.username != _CUSTOM_USERNAME:
        return login
    user = _parse(login.password, max_bytes=_MAX_COMPLETED_BYTES)
    whole = complete_user(user, user.seed or "", login.country, login.created)
    return structs.replace(login, password=msgspec.json.encode(whole).decode())


def _parse(password: str, max_bytes: int = MAX_BYTES) -> CustomUser:
    try:
        return parse_custom_user(password, max_bytes)
    except CustomUserError as error:
        raise MalformedPassword(f"is not a valid custom user: {error}") from None


def described_questioning(username: str, password: str) -> Questioning | None:
    """What a custom user has its bank ask. Raises MalformedPassword when it is none."""
    mfa = _parse(password).mfa if username == _CUSTOM_USERNAME else None
    if mfa is None or mfa.type is None:
        return None
    if mfa.type == "device":
        return devices()
    if mfa.type == "questions":
        return questions(mfa.question_rounds or 1, mfa.questions_per_round or 1)
    return selections(mfa.selection_rounds or 1, 1, options=mfa.selections_per_question or 0)


def described_user(login: SandboxLogin) -> SandboxUser:
    """The user behind a completed login. Raises ApiError when there is none."""
    if login.username == _CUSTOM_USERNAME:
        return DescribedUser(_decode_custom_user(login.password), login.created)
    persona = personas().get(login.username)
    if persona is None or not persona.accepts(login.password):
        raise FORCED["INVALID_CREDENTIALS"]()
    user = _living(persona, login)
    return DynamicUser(user) if persona.username == _DYNAMIC_USERNAME else user


def _living(persona: Persona, login: SandboxLogin) -> DescribedUser:
    whole = complete_user(persona.user, persona.username, login.country, login.created)
    return DescribedUser(whole, login.created, persona)
