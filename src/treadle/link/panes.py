"""What a user sees of Link, as data: a pane for each step, to be rendered by whatever shows it.

`view` tells the panes apart and is the `view_name` of their events. `actions` names what may be
done on the pane, of those in `actions.py`; `exit`, to leave Link, may always be.
"""

from __future__ import annotations

from typing import Literal

import msgspec

FieldKind = Literal["text", "password", "tel", "digits", "choice"]


class Choice(msgspec.Struct):
    value: str
    label: str


class Field(msgspec.Struct, kw_only=True):
    """One input of a form; `submit` takes its text, or the value of a choice, under its name."""

    name: str
    # In English; also what an assistive technology reads.
    label: str
    kind: FieldKind = "text"
    # The token of the HTML attribute of the same name.
    autocomplete: str = "off"
    # Of a choice.
    choices: list[Choice] = []
    # What stands in the field before anything is typed.
    value: str = ""


class ShownInstitution(msgspec.Struct):
    institution_id: str
    name: str
    # `healthy`, `degraded` or `down`.
    status: str
    # Whether the user logs in at a page of the bank's own.
    oauth: bool
    # As `#rrggbb`.
    primary_color: str | None
    url: str | None


class ShownAccount(msgspec.Struct):
    # By which `select_accounts` names it.
    key: str
    name: str
    mask: str | None
    type: str
    subtype: str | None
    # Whether it is ticked before the user touches anything.
    selected: bool


class Problem(msgspec.Struct):
    """An error that the user met, with the words of the API."""

    error_type: str
    error_code: str
    error_message: str
    # For the user; null when there are none, and then the pane needs words of its own.
    display_message: str | None


class _Pane(msgspec.Struct, tag_field="view", kw_only=True):
    actions: list[str]
    # Why the pane is shown again, or what went wrong.
    problem: Problem | None = None


class Consent(_Pane, tag="CONSENT"):
    """What Link is about; `continue` goes on without a phone number."""

    # The institution of an Item that is being repaired.
    institution: ShownInstitution | None
    # Whether a phone number is asked for, by `submit_phone`.
    asks_phone: bool
    # The end of the number that the app gave; then `submit_phone` needs no other.
    phone_ending: str | None


class VerifyPhone(_Pane, tag="VERIFY_PHONE"):
    """`submit` takes the code that was sent; `continue` goes on as a guest."""

    phone_ending: str
    fields: list[Field]


class SelectSavedInstitution(_Pane, tag="SELECT_SAVED_INSTITUTION"):
    """Institutions that a returning user linked before; `connect_new` lists all the others."""

    institutions: list[ShownInstitution]


class SelectAuthType(_Pane, tag="SELECT_AUTH_TYPE"):
    """`select_auth_type` takes one of the choices."""

    choices: list[Choice]


class SelectInstitution(_Pane, tag="SELECT_INSTITUTION"):
    """`search` narrows the list, `select_institution` takes one of it.

    `enter_numbers`, where it is offered, goes on without an institution.
    """

    query: str
    # The best matches, at most 40.
    institutions: list[ShownInstitution]
    # How many match in all.
    total: int


class SelectBrand(_Pane, tag="SELECT_BRAND"):
    """Several ways into one bank; `select_institution` takes one, `back` shows the list."""

    brand_name: str
    institutions: list[ShownInstitution]


class Credential(_Pane, tag="CREDENTIAL"):
    """`submit` takes a value for each field."""

    institution: ShownInstitution
    fields: list[Field]


class Oauth(_Pane, tag="OAUTH"):
    """The user is to log in at the bank's own page.

    `open_oauth` begins it. From then on `url` is that page: in a new window, after which the state
    is polled until it is another pane, or in place of this one when `redirects` is true.
    `close_oauth` says that the window was closed.
    """

    institution: ShownInstitution
    redirects: bool
    # Null until `open_oauth`.
    url: str | None


class Mfa(_Pane, tag="MFA"):
    """`submit` takes a value for each field: a code, a device, answers or selections."""

    institution: ShownInstitution
    mfa_type: Literal["code", "device", "questions", "selections"]
    fields: list[Field]


class SelectAccount(_Pane, tag="SELECT_ACCOUNT"):
    """`select_accounts` takes the keys: exactly one unless several are allowed."""

    institution: ShownInstitution
    accounts: list[ShownAccount]
    several: bool


class Numbers(_Pane, tag="NUMBERS"):
    """`submit` takes the numbers of an account, which has no institution when it stands alone."""

    institution: ShownInstitution | None
    # Of the account that the numbers are for, when it is known.
    account: ShownAccount | None
    fields: list[Field]


class DepositAuthorized(_Pane, tag="SAME_DAY_MICRODEPOSIT_AUTHORIZED"):
    """A deposit is on its way, with a code to be entered later; `continue` goes on."""


class DepositCode(_Pane, tag="SAME_DAY_MICRODEPOSIT_VERIFICATION"):
    """`submit` takes the code of a deposit that arrived on another day."""

    account: ShownAccount
    fields: list[Field]
    # How many tries are left.
    tries: int


class InstantDepositCode(_Pane, tag="INSTANT_MICRODEPOSIT_AUTHORIZED"):
    """`submit` takes the code of a deposit that arrives at once."""

    institution: ShownInstitution
    account: ShownAccount
    fields: list[Field]
    tries: int


class Connected(_Pane, tag="CONNECTED"):
    """It worked: `finish` ends Link, and `add_another`, where offered, begins with a new Item."""

    # Null where only numbers were entered.
    institution: ShownInstitution | None
    accounts: list[ShownAccount]


class ErrorShown(_Pane, tag="ERROR"):
    """`problem` tells what happened. `retry`, `back` and `enter_numbers` go on where offered."""

    institution: ShownInstitution | None


class ConfirmExit(_Pane, tag="EXIT"):
    """Asks whether the user wants to leave: `exit` does, `stay` returns to the pane before."""


Pane = (
    Consent
    | VerifyPhone
    | SelectSavedInstitution
    | SelectAuthType
    | SelectInstitution
    | SelectBrand
    | Credential
    | Oauth
    | Mfa
    | SelectAccount
    | Numbers
    | DepositAuthorized
    | DepositCode
    | InstantDepositCode
    | Connected
    | ErrorShown
    | ConfirmExit
)
