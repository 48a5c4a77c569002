"""Routes of broker accounts."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, status

from algo_api.broker_accounts.schemas import (
    AccountChange,
    AccountIn,
    AccountList,
    AccountOut,
    LoginIn,
    LoginOut,
    SessionOut,
)
from algo_api.deps import AccountsDep, CallerDep, LoginsDep
from algo_api.errors import (
    ConflictError,
    MalformedError,
    NotFoundError,
    TradingRuleError,
    UnauthenticatedError,
    UnavailableError,
    documented,
)

router = APIRouter(prefix="/broker-accounts", tags=["broker accounts"])

AccountId = Annotated[str, Path(pattern="^brk_[0-9a-hjkmnp-tv-z]{26}$", description="Id of the account.")]
_WRITE = documented(UnauthenticatedError, TradingRuleError, NotFoundError, ConflictError, UnavailableError)
_MAX_PARAMETERS, _MAX_LENGTH = 16, 4096
"""Fyers and Angel One come back with whole JWTs."""
_READ = documented(UnauthenticatedError, NotFoundError, UnavailableError)


@router.post("", status_code=status.HTTP_201_CREATED, responses=_WRITE)
async def link_account(new: AccountIn, caller: CallerDep, accounts: AccountsDep) -> AccountOut:
    """Link a broker account; key and secret are stored encrypted and never shown again."""
    return await accounts.create(caller, new)


@router.get("", responses=documented(UnauthenticatedError, UnavailableError))
async def list_accounts(caller: CallerDep, accounts: AccountsDep) -> AccountList:
    """The caller's accounts, newest first, also those made with kubectl."""
    return await accounts.list(caller)


@router.get("/{account_id}", responses=_READ)
async def get_account(account_id: AccountId, caller: CallerDep, accounts: AccountsDep) -> AccountOut:
    """One account."""
    return await accounts.get(caller, account_id)


@router.patch("/{account_id}", responses=_WRITE)
async def change_account(
    account_id: AccountId, change: AccountChange, caller: CallerDep, accounts: AccountsDep
) -> AccountOut:
    """Change limits, egress or credentials."""
    return await accounts.change(caller, account_id, change)


@router.delete("/{account_id}", status_code=status.HTTP_202_ACCEPTED, responses=_WRITE)
async def delete_account(account_id: AccountId, caller: CallerDep, accounts: AccountsDep) -> AccountOut:
    """Ask for its deletion; stored credentials go at once, the account when its strategies are flat."""
    return await accounts.delete(caller, account_id)


@router.post("/{account_id}/login", responses=_WRITE)
async def begin_login(
    account_id: AccountId, caller: CallerDep, logins: LoginsDep, wanted: LoginIn | None = None
) -> LoginOut:
    """Log in at the broker: by its page, or at once where PIN and code or a token are stored."""
    return await logins.begin(caller, account_id, wanted.way if wanted is not None else None)


@router.get("/{account_id}/callback", responses=_WRITE)
async def finish_login(account_id: AccountId, logins: LoginsDep, request: Request) -> SessionOut:
    """Where the broker's login page comes back to, with parameters of the broker's own. The state proves which login it
    is, so no token of ours is needed."""
    query = request.query_params
    if len(query) > _MAX_PARAMETERS or any(len(value) > _MAX_LENGTH for value in query.values()):
        raise MalformedError("this is not what a broker's login page sends")
    return await logins.finish(account_id, callback=dict(query))
