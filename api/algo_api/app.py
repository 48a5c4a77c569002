"""Makes the ASGI application: routes, middleware, error handlers, the OpenAPI document."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from algo_api.audit.routes import router as audit
from algo_api.auth.routes import router as auth
from algo_api.bootstrap import opened
from algo_api.broker_accounts.routes import router as broker_accounts
from algo_api.errors import Problem
from algo_api.health.routes import router as health
from algo_api.instruments.routes import router as instruments
from algo_api.middleware import RequestFrame
from algo_api.order_queue.routes import router as order_queue
from algo_api.problems import install_problem_handlers
from algo_api.settings import Settings
from algo_api.strategies.routes import router as strategies
from algo_api.streams.routes import router as streams
from algo_api.tenants.routes import router as tenants

PREFIX: Final = "/api/v1"
_VERSION: Final = "0.1.0"


def create_app(settings: Settings) -> FastAPI:
    """The application; connections open when it starts."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with opened(settings) as services:
            app.state.services = services
            yield

    app = FastAPI(
        title="Algo trading",
        version=_VERSION,
        description="Strategies that are never without a stop-loss.",
        lifespan=lifespan,
        generate_unique_id_function=_operation_id,
    )
    api = APIRouter(prefix=PREFIX)
    for router in (auth, tenants, broker_accounts, instruments, strategies, order_queue, streams, audit):
        api.include_router(router)
    app.include_router(api)
    app.include_router(health)
    app.add_middleware(RequestFrame)
    install_problem_handlers(app)
    app.openapi = lambda: openapi(app)  # type: ignore[method-assign]
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name


def openapi(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, with the one schema of all errors."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= problem.pop("$defs", {}) | {"Problem": problem}
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        app.openapi_schema = document
    return app.openapi_schema
