"""Tells a gateway's order door which halts are in force, straight and at once, whether Redis works or not."""

import logging
from collections.abc import Sequence

import aiohttp

from algo_operator.ports import PushHalts
from algo_operator.tokens import Tokens

logger = logging.getLogger(__name__)

_TIMEOUT = aiohttp.ClientTimeout(total=3, sock_connect=2)


def create_push(session: aiohttp.ClientSession, tokens: Tokens) -> PushHalts:
    """`POST /halt` with the operator's token; the body names all reasons, an empty list lifts the halt."""

    async def push(*, url: str, reasons: Sequence[str]) -> bool:
        headers = {"Authorization": f"Bearer {tokens.sign_admin()}"}
        body = {"halted": bool(reasons), "reason": "; ".join(reasons), "reasons": list(reasons)}
        try:
            async with session.post(f"{url}/halt", json=body, headers=headers, timeout=_TIMEOUT) as answer:
                if answer.status < 300:
                    return True
                logger.warning("%s refused the halts: HTTP %d", url, answer.status)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            logger.info("%s cannot be told its halts yet: %s", url, error)
        return False

    return push
