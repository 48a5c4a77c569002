"""Between the API's form of a broker account and the BrokerAccount resource; no I/O."""

from collections.abc import Mapping
from typing import Any

from algo_crds.contracts.account_state import EgressState
from algo_crds.resources.broker_account import Broker, BrokerAccountSpec, BrokerAccountStatus, Environment
from algo_crds.resources.broker_account import BrokerAccount as AccountResource
from algo_crds.resources.conditions import EGRESS_ADDRESS
from algo_crds.resources.rules import RULE_ERROR
from pydantic import ValidationError

from algo_api.broker_accounts.models import BrokerAccount
from algo_api.broker_accounts.schemas import AccountChange, AccountIn, AccountOut
from algo_api.errors import FieldProblem, MalformedError, TradingRuleError


def new_spec(new: AccountIn) -> dict[str, Any]:
    """The spec of a new account, as JSON of the resource."""
    spec: dict[str, Any] = {"broker": new.broker, "environment": new.environment}
    if new.client_id is not None:
        spec["clientId"] = new.client_id
    if new.market_data_source is not None:
        spec["marketDataSourceRef"] = {"name": new.market_data_source}
    return changed_spec(spec, new)


def changed_spec(current: Mapping[str, Any], change: AccountChange) -> dict[str, Any]:
    """The spec after a change. A given null takes the field away."""
    spec = dict(current)
    _put(spec, "egress", "proxyUrl", change, "proxy_url")
    _put(spec, "egress", "registeredAddress", change, "registered_address")
    _put(spec, "limits", "ordersPerSecond", change, "orders_per_second")
    if "algo_id" in change.model_fields_set:
        spec.pop("algoId", None)
        if change.algo_id is not None:
            spec["algoId"] = change.algo_id
    return spec


def _egress_state(reason: str) -> EgressState | None:
    return EgressState(reason) if reason in set(EgressState) else None  # another version may know more


def _put(spec: dict[str, Any], group: str, camel: str, change: AccountChange, name: str) -> None:
    if name not in change.model_fields_set:
        return
    inner = {key: value for key, value in (spec.get(group) or {}).items() if key != camel}
    value = getattr(change, name)
    if value is not None:
        inner[camel] = value
    spec.pop(group, None)
    if inner:
        spec[group] = inner


def validate_account(name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """The whole spec with its defaults, if a BrokerAccount of it would be accepted.

    Raises:
        TradingRuleError: a rule is broken.
        MalformedError: a field has a wrong form.
    """
    try:
        resource = AccountResource.model_validate({"metadata": {"name": name}, "spec": dict(spec)})
        return resource.spec.model_dump(by_alias=True, exclude_none=True)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        problems = tuple(
            FieldProblem(field=".".join(str(part) for part in entry["loc"] if part != "spec"), message=entry["msg"])
            for entry in found
        )
        detail = "; ".join(problem.message for problem in problems)
        broken = any(entry["type"] == RULE_ERROR for entry in found)
        raise (TradingRuleError if broken else MalformedError)(detail, errors=problems) from None


def callback_url(public_url: str, account_id: str) -> str:
    """Where a broker's login page comes back to; the trader registers it for the app at the broker."""
    return f"{public_url.rstrip('/')}/api/v1/broker-accounts/{account_id}/callback"


def account_out(row: BrokerAccount, *, has_credentials: bool, public_url: str, renewal: str) -> AccountOut:
    """The API's form of an account's row; `public_url` is where browsers reach the API, `renewal` how its broker's
    sessions are renewed."""
    spec = BrokerAccountSpec.model_validate(row.spec)
    try:
        status = BrokerAccountStatus.model_validate(row.resource_status)
    except ValidationError:  # written by another version
        status = BrokerAccountStatus()
    told = next((one for one in status.conditions if one.type == EGRESS_ADDRESS), None)
    return AccountOut(
        id=row.id,
        resource=f"{row.namespace}/{row.resource}",
        user_id=row.user_id,
        tenant_id=row.tenant_id,
        broker=spec.broker,
        client_id=spec.client_id,
        environment=spec.environment,
        simulated=spec.broker == Broker.PAPER or spec.environment == Environment.SIMULATOR,
        has_credentials=has_credentials,
        redirect_url=None if spec.broker == Broker.PAPER else callback_url(public_url, row.id),
        proxy_url=spec.egress.proxy_url if spec.egress else None,
        registered_address=spec.egress.registered_address if spec.egress else None,
        orders_per_second=spec.limits.orders_per_second,
        algo_id=spec.algo_id,
        halted=spec.halt.reason if spec.halt else None,
        session_renewal=renewal,
        session_valid_until=status.session_valid_until,
        feed_connected=status.feed_connected,
        breaker=status.breaker,
        egress_address=status.egress_address,
        egress_state=_egress_state(told.reason) if told else None,
        egress_message=told.message if told else None,
        message=status.message,
        deleting=row.deleting,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
