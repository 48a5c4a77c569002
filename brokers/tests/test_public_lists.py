"""Each broker's instrument list as it is read without an account: the real excerpt, and what is no list."""

import os
from pathlib import Path

import pytest
from algo_brokers.errors import BrokerError
from algo_brokers.http import HttpAnswer, HttpRequest, Transport
from algo_brokers.port import ReadInstruments
from algo_brokers.registry import ADAPTERS, adapter_of

DATA = Path(os.environ.get("ALGO_DATA_DIR", Path(__file__).resolve().parents[3] / "shared" / "data")) / "scrip_master"
EXCERPTS = {
    "zerodha": ("kite_instruments_nse.csv", "text/csv"),
    "dhan": ("dhan_api-scrip-master.csv", "text/csv"),
    "fyers": ("fyers_NSE_CM.csv", "text/csv"),
    "angelone": ("angel_OpenAPIScripMaster.json", "application/json"),
}


def reader(broker: str, *answers: HttpAnswer, asked: list[HttpRequest] | None = None) -> ReadInstruments:
    """The broker's reader at a host that gives these answers in turn, the last one for ever."""
    left = list(answers)

    def to(_base_url: str) -> Transport:
        async def send(request: HttpRequest, *, timeout_s: float) -> HttpAnswer:
            assert timeout_s > 0
            if asked is not None:
                asked.append(request)
            return left.pop(0) if len(left) > 1 else left[0]

        return send

    adapter = adapter_of(broker)
    return adapter.read_public_list(to, adapter.endpoints, lambda: 1_795_600_000_000)


@pytest.mark.data
@pytest.mark.parametrize("broker", EXCERPTS)
async def test_the_real_excerpt_is_read_without_a_session(broker: str) -> None:
    assert EXCERPTS.keys() == ADAPTERS.keys()
    name, kind = EXCERPTS[broker]
    if not DATA.is_dir():
        pytest.fail(f"no recorded data at {DATA}; set ALGO_DATA_DIR")
    asked: list[HttpRequest] = []
    answers = [HttpAnswer(200, kind, (DATA / name).read_bytes())]
    if broker == "fyers":  # the JSON list has more, the CSV list stands in for it
        answers.insert(0, HttpAnswer(404, "text/html", b""))
    found = await reader(broker, *answers, asked=asked)(exchange="NSE")
    assert found
    assert all(one.exchange == "NSE" and one.tick_size > 0 and one.lot > 0 for one in found if one.kind == "EQ")
    for request in asked:
        assert not {name.lower() for name, _ in request.headers} & {"authorization", "access-token", "x-privatekey"}


@pytest.mark.parametrize("broker", EXCERPTS)
@pytest.mark.parametrize(
    "answer",
    [
        HttpAnswer(503, "text/plain", b"down"),
        HttpAnswer(404, "text/html", b"<html>gone</html>"),
        HttpAnswer(200, "text/html", b"<html>log in</html>"),
        HttpAnswer(200, "text/csv", b"\xff\xfe\x00"),
        HttpAnswer(200, "application/json", b"[{"),
    ],
    ids=["503", "404", "page", "no text", "broken"],
)
async def test_what_is_no_list_is_an_error_and_never_an_empty_list(broker: str, answer: HttpAnswer) -> None:
    with pytest.raises(BrokerError):
        await reader(broker, answer)(exchange="NSE")
