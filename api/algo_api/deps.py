"""Dependencies of routes, each under one name: a route's signature tells all that it needs."""

from typing import Annotated, cast

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from algo_api.audit.contract import AuditService
from algo_api.auth.contract import AuthService
from algo_api.broker_accounts.contract import AccountService, LoginService
from algo_api.errors import UnauthenticatedError
from algo_api.health.contract import HealthService
from algo_api.identity import Caller
from algo_api.instruments.contract import InstrumentService
from algo_api.order_queue.contract import OrderQueueService
from algo_api.services import Services
from algo_api.strategies.contract import StrategyService
from algo_api.streams.contract import StreamService
from algo_api.tenants.contract import TenantService

_bearer = HTTPBearer(auto_error=False, bearerFormat="JWT", description="Access token of /auth/login.")


def get_services(request: Request) -> Services:
    """The services of this process."""
    return cast(Services, request.app.state.services)


ServicesDep = Annotated[Services, Depends(get_services)]


def get_current_user(
    services: ServicesDep, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Caller:
    """Who is calling.

    Raises:
        UnauthenticatedError: no token, or one that is not valid.
    """
    if credentials is None:
        raise UnauthenticatedError("send an access token: Authorization: Bearer ...")
    return services.access_tokens.read(credentials.credentials)


def get_client(request: Request) -> str:
    """Address of the client, for rate limits."""
    return request.client.host if request.client else "unknown"


def _auth(services: ServicesDep) -> AuthService:
    return services.auth


def _tenants(services: ServicesDep) -> TenantService:
    return services.tenants


def _accounts(services: ServicesDep) -> AccountService:
    return services.accounts


def _logins(services: ServicesDep) -> LoginService:
    return services.logins


def _instruments(services: ServicesDep) -> InstrumentService:
    return services.instruments


def _strategies(services: ServicesDep) -> StrategyService:
    return services.strategies


def _order_queue(services: ServicesDep) -> OrderQueueService:
    return services.order_queue


def _streams(services: ServicesDep) -> StreamService:
    return services.streams


def _audit(services: ServicesDep) -> AuditService:
    return services.audit


def _health(services: ServicesDep) -> HealthService:
    return services.health


CallerDep = Annotated[Caller, Depends(get_current_user)]
ClientDep = Annotated[str, Depends(get_client)]
AuthDep = Annotated[AuthService, Depends(_auth)]
TenantsDep = Annotated[TenantService, Depends(_tenants)]
AccountsDep = Annotated[AccountService, Depends(_accounts)]
LoginsDep = Annotated[LoginService, Depends(_logins)]
InstrumentsDep = Annotated[InstrumentService, Depends(_instruments)]
StrategiesDep = Annotated[StrategyService, Depends(_strategies)]
OrderQueueDep = Annotated[OrderQueueService, Depends(_order_queue)]
StreamsDep = Annotated[StreamService, Depends(_streams)]
AuditDep = Annotated[AuditService, Depends(_audit)]
HealthDep = Annotated[HealthService, Depends(_health)]
