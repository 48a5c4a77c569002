"""What broker accounts offer, and what they need of a broker."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from algo_brokers.login import Login

from algo_api.broker_accounts.schemas import (
    AccountChange,
    AccountIn,
    AccountList,
    AccountOut,
    LoginOut,
    LoginWay,
    SessionOut,
)
from algo_api.identity import Caller


class LoginOf(Protocol):
    """The ways into a broker.

    Raises:
        TradingRuleError: this broker has no login of ours, or the environment is not offered.
    """

    def __call__(self, broker: str, environment: str) -> Login: ...


class CreateAccount(Protocol):
    """Applies a new BrokerAccount resource and stores its credentials encrypted."""

    async def __call__(self, caller: Caller, new: AccountIn) -> AccountOut: ...


class ListAccounts(Protocol):
    """The caller's accounts, also those made with kubectl."""

    async def __call__(self, caller: Caller) -> AccountList: ...


class GetAccount(Protocol):
    """One account."""

    async def __call__(self, caller: Caller, account_id: str) -> AccountOut: ...


class ChangeAccount(Protocol):
    """Changes some fields."""

    async def __call__(self, caller: Caller, account_id: str, change: AccountChange) -> AccountOut: ...


class DeleteAccount(Protocol):
    """Asks for the deletion; stored credentials go at once."""

    async def __call__(self, caller: Caller, account_id: str) -> AccountOut: ...


class BeginLogin(Protocol):
    """Starts a login at the broker, or does it where no page is needed.

    Raises:
        ConflictError: the account lacks credentials for this way, or the broker refused.
        UnavailableError: the operator has not made the account's Secret yet, or the broker does not answer.
    """

    async def __call__(self, caller: Caller, account_id: str, way: LoginWay | None) -> LoginOut: ...


class FinishLogin(Protocol):
    """Exchanges what the broker's page gave and writes the session into the account's Secret. The state alone proves
    who asks: the broker's redirect carries no token of ours. A broker that has no place for a state comes back without
    one; then a login of this account must be open, and the session must be the account's own client's.

    Raises:
        UnauthenticatedError: the state is unknown, used or too old.
        ConflictError: the broker refused the login, or it is for another client.
        UnavailableError: the broker or the account's Secret is not there yet.
    """

    async def __call__(self, account_id: str, *, callback: Mapping[str, str]) -> SessionOut: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountService:
    """Broker accounts."""

    create: CreateAccount
    list: ListAccounts
    get: GetAccount
    change: ChangeAccount
    delete: DeleteAccount


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginService:
    """Logins of broker accounts."""

    begin: BeginLogin
    finish: FinishLogin
