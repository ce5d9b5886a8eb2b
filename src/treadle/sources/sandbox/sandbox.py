"""The sandbox: institutions and users that are read from the data files beside this module."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.resources import files

import msgspec

from treadle.bank.liability import Liability
from treadle.bank.model import Institution
from treadle.clock import to_date
from treadle.http.errors import FORCED, RECAPTCHA_BAD
from treadle.sources.sandbox.canned import CannedUser
from treadle.sources.sandbox.microdeposits import MicrodepositsUser
from treadle.sources.sandbox.user import SandboxLogin, SandboxUser
from treadle.sources.source import InvestmentsPicture, Login, Reading, TransactionsPicture

_FOLDER = files("treadle.sources.sandbox")
_FORCED_PREFIX = "error_"
_MICRODEPOSITS_PASSWORD = "microdeposits_good"  # noqa: S105, published on purpose


# Link asks the documented questions; what is made without Link counts as answered.
_PASSED_QUESTIONS = re.compile(
    r"mfa_device|mfa_questions_[1-9]_[1-9]|mfa_selections(_[1-9]_[1-9]_[1-9])?"
)
_RECAPTCHA_PASSWORD = re.compile(r'\{\s*"recaptcha"\s*:\s*"(?P<outcome>good|bad)"\s*\}')

_decode_login = msgspec.json.Decoder(SandboxLogin).decode


class SandboxSource:
    name = "sandbox"

    def __init__(self) -> None:
        institutions = msgspec.json.decode(
            (_FOLDER / "institutions.json").read_bytes(), type=list[Institution]
        )
        self._institutions = sorted(institutions, key=_by_number)
        self._by_id = {one.institution_id: one for one in self._institutions}
        user = (_FOLDER / "users" / "user_good.json").read_bytes()
        self._user_good = msgspec.json.decode(user, type=CannedUser)

    def institutions(self) -> Sequence[Institution]:
        return self._institutions

    def institution(self, institution_id: str) -> Institution | None:
        return self._by_id.get(institution_id)

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
        if login.password == user.password or _PASSED_QUESTIONS.fullmatch(login.password):
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
