"""What a BrokerAccount's status says of the address in use, as the API hands it on."""

from datetime import UTC, datetime
from typing import Any

import pytest
from algo_api.broker_accounts.models import BrokerAccount
from algo_api.broker_accounts.translate import account_out

NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


def account(**status: Any) -> BrokerAccount:
    return BrokerAccount(
        id="brk_1",
        namespace="algo-a",
        resource="zed",
        user_id="usr_1",
        tenant_id="tnt_1",
        spec={"broker": "zerodha", "clientId": "AB1234", "egress": {"registeredAddress": "198.51.100.1"}},
        resource_status=status,
        deleting=False,
        created_at=NOW,
        updated_at=NOW,
    )


def condition(reason: str) -> dict[str, str]:
    return {
        "type": "EgressAddress",
        "status": "Unknown",
        "reason": reason,
        "message": "look",
        "lastTransitionTime": "2026-03-02T04:00:00Z",
    }


@pytest.mark.parametrize(("reason", "state"), [("Differs", "Differs"), ("Registered", "Registered"), ("New", None)])
def test_the_address_in_use_beside_the_registered_one(reason: str, state: str | None) -> None:
    row = account(egressAddress="203.0.113.7", conditions=[condition(reason)])
    out = account_out(row, has_credentials=True, public_url="https://algo.example", renewal="log in")
    assert (out.registered_address, out.egress_address) == ("198.51.100.1", "203.0.113.7")
    assert (out.egress_state, out.egress_message) == (state, "look")


def test_an_account_whose_gateway_said_nothing_yet() -> None:
    out = account_out(account(), has_credentials=False, public_url="https://algo.example", renewal="log in")
    assert (out.egress_address, out.egress_state, out.egress_message) == (None, None, None)
