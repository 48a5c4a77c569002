"""All services of the process in one record, made by `bootstrap` and read by the routes' dependencies."""

from dataclasses import dataclass

from algo_api.audit.contract import AuditService
from algo_api.auth.contract import AuthService
from algo_api.auth.tokens import AccessTokens
from algo_api.broker_accounts.contract import AccountService, LoginService
from algo_api.health.contract import HealthService
from algo_api.instruments.contract import InstrumentService
from algo_api.order_queue.contract import OrderQueueService
from algo_api.strategies.contract import StrategyService
from algo_api.streams.contract import StreamService
from algo_api.tenants.contract import TenantService


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What routes call."""

    access_tokens: AccessTokens
    auth: AuthService
    tenants: TenantService
    accounts: AccountService
    logins: LoginService
    instruments: InstrumentService
    strategies: StrategyService
    order_queue: OrderQueueService
    streams: StreamService
    audit: AuditService
    health: HealthService
