"""The sandbox: institutions and users that are read from the data files beside this module."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files

import msgspec

from treadle.bank.liability import Liability
from treadle.bank.model import Institution, SourceAccount
from treadle.clock import to_date
from treadle.http.errors import FORCED, INVALID_UPDATED_USERNAME, RECAPTCHA_BAD
from treadle.sources.sandbox.canned import CannedUser
from treadle.sources.sandbox.challenges import questioning
from treadle.sources.sandbox.microdeposits import MicrodepositsUser
from treadle.sources.sandbox.user import SandboxLogin, SandboxUser
from treadle.sources.source import (
    Challenge,
    InvestmentsPicture,
    Login,
    MalformedPassword,
    Reading,
    TransactionsPicture,
)

_FOLDER = files("treadle.sources.sandbox")
_FORCED_PREFIX = "error_"
_MICRODEPOSITS_PASSWORD = "microdeposits_good"  # noqa: S105, published on purpose

_RECAPTCHA_PASSWORD = re.compile(r'\{\s*"recaptcha"\s*:\s*"(?P<outcome>good|bad)"\s*\}')

# No date before or after these overflows.
_YEARS = range(2000, 2200)

_decode_login = msgspec.json.Decoder(SandboxLogin).decode


class _ForeignLogin(SandboxLogin, forbid_unknown_fields=True):
    """A login that may be of anyone's making."""


_decode_foreign_login = msgspec.json.Decoder(_ForeignLogin).decode


class SandboxSource:
    name = "sandbox"
    login_days: int | None = 30
    deposit_code: str | None = "ABC"

    def __init__(self) -> None:
        institutions = msgspec.json.decode(
            (_FOLDER / "institutions.json").read_bytes(), type=list[Institution]
        )
        institutions.sort(key=_by_number)
        self._institutions = {one.institution_id: one for one in institutions}
        user = (_FOLDER / "users" / "user_good.json").read_bytes()
        self._user_good = msgspec.json.decode(user, type=CannedUser)

    async def institutions(self, client_id: str) -> Mapping[str, Institution]:
        return self._institutions

    async def log_in(
        self, institution: Institution, username: str, password: str, now: int, seed: str
    ) -> Login:
        """As documented: OAuth institutions take anything, the others check the password, and a
        password of the form `error_CODE` is answered by that error."""
        if not institution.supported:
            raise FORCED["INSTITUTION_NO_LONGER_SUPPORTED"]()
        if institution.status == "down":
            raise FORCED["INSTITUTION_DOWN"]()
        if institution.oauth:
            username, password = self._user_good.username, self._user_good.password
        _raise_forced(password)
        login = SandboxLogin(username, password, institution.country_codes[0], to_date(now))
        if username != self._user_good.username:
            # Imported at the first use: no other login needs it, and it takes a tenth of a second.
            from treadle.sources.sandbox.described_logins import completed

            login = completed(login, seed)
        accounts = self._user(login).accounts(institution, login.created)
        return Login(accounts, msgspec.json.encode(login))

    async def challenge(
        self, institution: Institution, username: str, password: str, answers: list[list[str]]
    ) -> Challenge | None:
        if institution.oauth or not institution.supported or institution.status == "down":
            return None
        if username == self._user_good.username:
            asked = questioning(password)
        else:
            from treadle.sources.sandbox.described_logins import described_questioning

            asked = described_questioning(username, password)
        return None if asked is None else asked.after(answers)

    def renewed(self, secret: bytes, login: Login) -> bytes:
        """The first login stands, since a user's data begins with it."""
        if _decode_login(secret).username != _decode_login(login.secret).username:
            raise INVALID_UPDATED_USERNAME()
        return secret

    async def revived(self, institution: Institution, secret: bytes) -> Login:
        try:
            login: SandboxLogin = _decode_foreign_login(secret)
        except msgspec.DecodeError as error:
            raise MalformedPassword(f"is no login of the sandbox: {error}") from None
        if login.created.year not in _YEARS:
            problem = f"must be created from {_YEARS.start} to {_YEARS.stop - 1}"
            raise MalformedPassword(problem)
        if login.username != self._user_good.username:
            from treadle.sources.sandbox.described_logins import recompleted

            login = recompleted(login)
        accounts = self._user(login).accounts(institution, login.created)
        return Login(accounts, msgspec.json.encode(login))

    async def accounts(self, secret: bytes) -> list[SourceAccount] | None:
        return None

    async def transactions(self, reading: Reading) -> TransactionsPicture:
        return self._user(_decode_login(reading.secret)).transactions(reading)

    async def investments(self, reading: Reading) -> InvestmentsPicture:
        return self._user(_decode_login(reading.secret)).investments(reading)

    async def liabilities(self, reading: Reading) -> dict[str, Liability]:
        return self._user(_decode_login(reading.secret)).liabilities(reading)

    def _user(self, login: SandboxLogin) -> SandboxUser:
        """The user behind a login. Raises ApiError when there is none."""
        user = self._user_good
        if login.username != user.username:
            from treadle.sources.sandbox.described_logins import described_user

            return described_user(login)
        if login.password == _MICRODEPOSITS_PASSWORD:
            return MicrodepositsUser(user)
        if login.password == user.password or questioning(login.password):
            return user
        if recaptcha := _RECAPTCHA_PASSWORD.fullmatch(login.password):
            if recaptcha["outcome"] == "good":
                return user
            raise RECAPTCHA_BAD()
        raise FORCED["INVALID_CREDENTIALS"]()


def _raise_forced(password: str) -> None:
    if password.startswith(_FORCED_PREFIX):
        code = password.removeprefix(_FORCED_PREFIX)
        raise FORCED.get(code, FORCED["INVALID_CREDENTIALS"])()


def _by_number(institution: Institution) -> int:
    return int(institution.institution_id.removeprefix("ins_"))
