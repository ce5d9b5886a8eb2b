"""The sandbox: canned institutions and users, read from the data files beside this module."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

import msgspec

from treadle.bank.model import AccountData, Balances, Institution, Numbers, SourceAccount
from treadle.http.errors import FORCED
from treadle.wire.common import AccountHolderCategory, AccountSubtype, AccountType

_FOLDER = files("treadle.sources.sandbox")
_FORCED_PREFIX = "error_"


class _UserAccount(msgspec.Struct):
    name: str
    official_name: str | None
    mask: str | None
    type: AccountType
    subtype: AccountSubtype | None
    holder_category: AccountHolderCategory | None
    balances: Balances
    numbers: Numbers | None


class _User(msgspec.Struct):
    username: str
    password: str
    accounts: list[_UserAccount]
    owners: msgspec.Raw

    def source_accounts(self) -> list[SourceAccount]:
        owners = msgspec.Raw(msgspec.json.format(self.owners, indent=-1))
        return [
            SourceAccount(
                AccountData(
                    name=account.name,
                    official_name=account.official_name,
                    mask=account.mask,
                    type=account.type,
                    subtype=account.subtype,
                    holder_category=account.holder_category,
                    balances=account.balances,
                    owners_json=owners,
                ),
                account.numbers,
            )
            for account in self.accounts
        ]


class SandboxSource:
    name = "sandbox"

    def __init__(self) -> None:
        institutions = msgspec.json.decode(
            (_FOLDER / "institutions.json").read_bytes(), type=list[Institution]
        )
        self._institutions = sorted(institutions, key=_by_number)
        self._by_id = {one.institution_id: one for one in self._institutions}
        users = [
            msgspec.json.decode(file.read_bytes(), type=_User)
            for file in (_FOLDER / "users").iterdir()
            if file.name.endswith(".json")
        ]
        self._users = {user.username: user for user in users}

    def institutions(self) -> Sequence[Institution]:
        return self._institutions

    def institution(self, institution_id: str) -> Institution | None:
        return self._by_id.get(institution_id)

    async def log_in(
        self, institution: Institution, username: str, password: str
    ) -> list[SourceAccount]:
        """As documented: OAuth institutions take anything, the others check the password, and a
        password of the form `error_CODE` is answered by that error."""
        if not institution.supported:
            raise FORCED["INSTITUTION_NO_LONGER_SUPPORTED"]()
        if institution.status == "down":
            raise FORCED["INSTITUTION_DOWN"]()
        if institution.oauth:
            return self._users["user_good"].source_accounts()
        if password.startswith(_FORCED_PREFIX):
            code = password.removeprefix(_FORCED_PREFIX)
            raise FORCED.get(code, FORCED["INVALID_CREDENTIALS"])()
        user = self._users.get(username)
        if user is None or user.password != password:
            raise FORCED["INVALID_CREDENTIALS"]()
        return user.source_accounts()


def _by_number(institution: Institution) -> int:
    return int(institution.institution_id.removeprefix("ins_"))
