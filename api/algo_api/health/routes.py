"""Routes of probes and metrics."""

from fastapi import APIRouter, Response, status
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from algo_api.deps import HealthDep
from algo_api.health.schemas import Health, Readiness

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def healthz() -> Health:
    """The process is alive."""
    return Health(status="ok")


@router.get("/readyz", responses={503: {"model": Readiness, "description": "Not ready."}})
async def readyz(health: HealthDep, response: Response) -> Readiness:
    """Requests can be served."""
    ready = await health.ready()
    if not ready.database:
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    return ready


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics() -> Response:
    """Metrics in the text format of Prometheus."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
