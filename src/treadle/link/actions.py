"""What a user can do in Link. On the wire: `{"action": <name>, "inputs": {…}}`."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

_Text = Annotated[str, msgspec.Meta(max_length=200)]
# A password may describe a whole custom user.
_Value = Annotated[str, msgspec.Meta(max_length=100_000)]
_Key = Annotated[str, msgspec.Meta(max_length=100)]


class _Action(msgspec.Struct, tag_field="action", forbid_unknown_fields=True):
    pass


class Continue(_Action, tag="continue"):
    """Go on; where a phone number or its code is asked for, without it."""


class SubmitPhone(_Action, tag="submit_phone"):
    # None takes the number that the app gave.
    phone_number: Annotated[str, msgspec.Meta(max_length=40)] | None = None


class ConnectNew(_Action, tag="connect_new"):
    pass


class SelectAuthType(_Action, tag="select_auth_type"):
    # `flow_type_instant` or `flow_type_manual`.
    selection: _Text


class Search(_Action, tag="search"):
    query: _Text


class SelectInstitution(_Action, tag="select_institution"):
    institution_id: _Text


class EnterNumbers(_Action, tag="enter_numbers"):
    pass


class Submit(_Action, tag="submit"):
    """A value for each of the pane's fields, by name."""

    values: Annotated[dict[_Key, _Value], msgspec.Meta(max_length=20)]


class OpenOauth(_Action, tag="open_oauth"):
    pass


class CloseOauth(_Action, tag="close_oauth"):
    pass


class SelectAccounts(_Action, tag="select_accounts"):
    accounts: Annotated[list[_Key], msgspec.Meta(max_length=500)]


class AddAnother(_Action, tag="add_another"):
    pass


class Finish(_Action, tag="finish"):
    pass


class Retry(_Action, tag="retry"):
    pass


class Back(_Action, tag="back"):
    """To the list of institutions."""


class Stay(_Action, tag="stay"):
    pass


class Exit(_Action, tag="exit"):
    """Leave Link. Without force a user who has come some way is asked first."""

    force: bool = False


UserAction = (
    Continue
    | SubmitPhone
    | ConnectNew
    | SelectAuthType
    | Search
    | SelectInstitution
    | EnterNumbers
    | Submit
    | OpenOauth
    | CloseOauth
    | SelectAccounts
    | AddAnother
    | Finish
    | Retry
    | Back
    | Stay
    | Exit
)


def name_of(action: UserAction | type[UserAction]) -> str:
    return str(action.__struct_config__.tag)


def parse_action(name: str, inputs: dict[str, Any]) -> UserAction:
    """Raises ValidationError, whose message says what is wrong with the name or the inputs."""
    return msgspec.convert({**inputs, "action": name}, UserAction)  # type: ignore[no-any-return]
