"""Broker accounts on the wire. Credentials go in and never come out."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from algo_crds.contracts.account_state import EgressState
from algo_crds.resources.broker_account import Breaker, Broker, Environment
from pydantic import BaseModel, Field, SecretStr, StringConstraints

from algo_api.inputs import CleanText, Request

ClientId = Annotated[CleanText, Field(max_length=64)]
Secret = Annotated[SecretStr, Field(min_length=1, max_length=256)]
Proxy = Annotated[CleanText, Field(max_length=256)]
Address = Annotated[CleanText, Field(max_length=45)]
Algo = Annotated[CleanText, Field(min_length=1, max_length=64)]
State = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern="^[A-Za-z0-9_-]+$")]


class AccountChange(Request):
    """Fields to change; what is left out stays as it is, `null` takes an optional field away."""

    api_key: Secret | None = Field(default=None, description="Key of the app at the broker.")
    api_secret: Secret | None = Field(default=None, description="Secret of the app at the broker.")
    pin: Secret | None = Field(default=None, description="PIN of the client, where the broker logs in by PIN and code.")
    totp_secret: Secret | None = Field(
        default=None, description="Base32 secret of the authenticator, for brokers that log in by PIN and code."
    )
    access_token: Secret | None = Field(
        default=None, description="A token made on the broker's own page, where the broker offers that."
    )
    proxy_url: Proxy | None = Field(default=None, description="HTTP proxy with the registered address.")
    registered_address: Address | None = Field(default=None, description="IP address registered with the broker.")
    orders_per_second: int | None = Field(default=None, description="Orders a second, from 1 to 9; 8 if not given.")
    algo_id: Algo | None = Field(default=None, description="The exchange's registration number of the algorithm.")


class AccountIn(AccountChange):
    """A broker account to link."""

    broker: Broker = Field(description="The broker; paper needs no credentials.")
    client_id: ClientId | None = Field(default=None, description="Client id of the account at its broker.")
    environment: Environment = Field(default=Environment.PRODUCTION, description="Production or Simulator.")
    market_data_source: Annotated[CleanText, Field(max_length=63)] | None = Field(
        default=None, description="Name of the MarketDataSource that a paper account trades against."
    )


class AccountOut(BaseModel):
    """A broker account."""

    id: str = Field(description="Id of the account (brk_...).")
    resource: str = Field(description="Namespace and name of the BrokerAccount resource.")
    user_id: str = Field(description="Owner (usr_...).")
    tenant_id: str = Field(description="Tenant (tnt_...).")
    broker: Broker = Field(description="The broker.")
    client_id: str | None = Field(description="Client id of the account at its broker.")
    environment: Environment = Field(description="Production or Simulator.")
    simulated: bool = Field(description="True: no real money can move.")
    has_credentials: bool = Field(description="Whether key and secret are stored.")
    redirect_url: str | None = Field(
        description="Enter it as the redirect URL of the app at the broker: its login page comes back there."
    )
    proxy_url: str | None = Field(description="HTTP proxy with the registered address.")
    registered_address: str | None = Field(description="IP address registered with the broker.")
    orders_per_second: int = Field(description="Orders a second.")
    algo_id: str | None = Field(description="The exchange's registration number of the algorithm.")
    halted: str | None = Field(description="Why trading is halted, if it is.")
    session_valid_until: datetime | None = Field(description="When the broker's session ends.")
    session_renewal: str = Field(description="How long this broker's sessions live and how to get the next one.")
    feed_connected: bool | None = Field(description="Whether market data is connected.")
    breaker: Breaker | None = Field(description="State of the circuit breaker.")
    egress_address: str | None = Field(
        description="The address that order calls leave from, as others see it; null where it is not known."
    )
    egress_state: EgressState | None = Field(
        description="How it stands to the registered address. Differs: the broker refuses orders."
    )
    egress_message: str | None = Field(description="The same as a sentence, with what to do.")
    message: str | None = Field(description="What a person should know or do next.")
    deleting: bool = Field(description="Its deletion was asked for.")
    created_at: datetime = Field(description="When it was made.")
    updated_at: datetime = Field(description="When it was last changed.")


class AccountList(BaseModel):
    """The caller's accounts."""

    items: list[AccountOut] = Field(description="Accounts, newest first.")


class LoginWay(StrEnum):
    """How to log in."""

    PAGE = "page"
    DIRECT = "direct"


class LoginIn(Request):
    """Which way to log in."""

    way: LoginWay | None = Field(
        default=None,
        description="page, or direct (PIN and code, or a token); not given: direct if its credentials are stored.",
    )


class LoginOut(BaseModel):
    """Where to log in at the broker, or the session, where no page is needed."""

    login_url: str | None = Field(
        description="Open it in a browser; the broker comes back to the callback. Null: the login is done."
    )
    state: str | None = Field(description="Comes back with the callback, once, within ten minutes.")
    valid_until: datetime | None = Field(default=None, description="When the session ends, if the login is done.")


class SessionOut(BaseModel):
    """A login at the broker that worked."""

    account_id: str = Field(description="The account (brk_...).")
    valid_until: datetime = Field(description="When the session ends; log in again before the next trading day.")
