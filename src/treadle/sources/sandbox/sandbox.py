"""The sandbox: institutions and users that are read from the data files beside this module."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

import msgspec

from treadle.bank.liability import Liability
from treadle.bank.model import Institution
from treadle.clock import to_date
from treadle.http.errors import FORCED
from treadle.sources.sandbox.canned import CannedUser
from treadle.sources.sandbox.microdeposits import MicrodepositsUser
from treadle.sources.sandbox.user import SandboxUser
from treadle.sources.source import InvestmentsPicture, Login, Reading, TransactionsPicture

_FOLDER = files("treadle.sources.sandbox")
_FORCED_PREFIX = "error_"
_MICRODEPOSITS_PASSWORD = "microdeposits_good"  # noqa: S105, published on purpose
_DEFAULT_USERNAME = "user_good"


class _Credentials(msgspec.Struct):
    """What the sandbox keeps of a login: enough to find its user again."""

    username: str
    password: str


_decode_credentials = msgspec.json.Decoder(_Credentials).decode


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
        self, institution: Institution, username: str, password: str, now: int
    ) -> Login:
        """As documented: OAuth institutions take anything, the others check the password, and a
        password of the form `error_CODE` is answered by that error."""
        if not institution.supported:
            raise FORCED["INSTITUTION_NO_LONGER_SUPPORTED"]()
        if institution.status == "down":
            raise FORCED["INSTITUTION_DOWN"]()
        if institution.oauth:
            username, password = _DEFAULT_USERNAME, self._user_good.password
        credentials = _Credentials(username, password)
        accounts = self._user(credentials).accounts(institution, to_date(now))
        return Login(accounts, msgspec.json.encode(credentials))

    async def transactions(self, reading: Reading) -> TransactionsPicture:
        return self._user(_decode_credentials(reading.secret)).transactions(reading)

    async def investments(self, reading: Reading) -> InvestmentsPicture:
        return self._user(_decode_credentials(reading.secret)).investments(reading)

    async def liabilities(self, reading: Reading) -> dict[str, Liability]:
        return self._user(_decode_credentials(reading.secret)).liabilities(reading)

    def _user(self, credentials: _Credentials) -> SandboxUser:
        """The user behind a name and password. Raises ApiError when there is none."""
        if credentials.password.startswith(_FORCED_PREFIX):
            code = credentials.password.removeprefix(_FORCED_PREFIX)
            raise FORCED.get(code, FORCED["INVALID_CREDENTIALS"])()
        user = self._user_good
        if credentials.username == user.username:
            if credentials.password == user.password:
                return user
            if credentials.password == _MICRODEPOSITS_PASSWORD:
                return MicrodepositsUser(user)
        raise FORCED["INVALID_CREDENTIALS"]()


def _by_number(institution: Institution) -> int:
    return int(institution.institution_id.removeprefix("ins_"))
