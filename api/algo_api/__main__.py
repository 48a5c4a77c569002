"""`python -m algo_api`: serves the API."""

import logging

import uvicorn

from algo_api.app import create_app
from algo_api.settings import Settings


def main() -> None:
    """Entry point."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    settings = Settings()
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        access_log=False,  # a path's query may hold a broker's token
        timeout_graceful_shutdown=5,
        log_config=None,
    )


if __name__ == "__main__":
    main()
