"""What we send."""

from urllib.parse import parse_qs, urlsplit

import pytest
from algo_brokers.errors import BadAnswer
from algo_brokers.http import HttpRequest
from algo_brokers.records import Change, InstrumentRef, Interval, NewOrder
from algo_brokers.session import Session
from algo_brokers.zerodha import instruments, requests, session
from algo_crds.contracts.orders import OrderType, Product, Side
from order_samples import order_ref

HELD = Session(
    broker="zerodha", client_id="SM0001", api_key="simkey0001", access_token="acc7Xq2", login_time=0, valid_until=1
)


def form(request: HttpRequest) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.body.decode(), strict_parsing=True).items()}


def new_order(**changes: object) -> NewOrder:
    values: dict[str, object] = {
        "tag": "a12345678abcs001",
        "instrument": InstrumentRef(exchange="NSE", symbol="M&M"),
        "side": Side.SELL,
        "type": OrderType.STOP_LIMIT,
        "quantity": 10,
        "price": 28505000,
        "trigger": 28600500,
        "product": Product.INTRADAY,
    }
    return NewOrder(**{**values, **changes})  # type: ignore[arg-type]


def test_place_a_stop() -> None:
    request = requests.place(HELD, new_order())
    assert (request.method, request.target) == ("POST", "/orders/regular")
    assert dict(request.headers)["Authorization"] == "token simkey0001:acc7Xq2"
    assert dict(request.headers)["X-Kite-Version"] == "3"
    assert form(request) == {
        "exchange": "NSE",
        "tradingsymbol": "M&M",
        "transaction_type": "SELL",
        "quantity": "10",
        "product": "MIS",
        "order_type": "SL",
        "price": "2850.50",
        "trigger_price": "2860.05",
        "validity": "DAY",
        "tag": "a12345678abcs001",
    }


def test_place_a_limit_with_algo_id() -> None:
    request = requests.place(HELD, new_order(type=OrderType.LIMIT, product=Product.DELIVERY, algo_id="77"))
    fields = form(request)
    assert "trigger_price" not in fields
    assert (fields["order_type"], fields["product"], fields["algo_id"]) == ("LIMIT", "CNC", "77")


@pytest.mark.parametrize("tag", ["", "a b", "x" * 21, "ä1", "a-b"])
def test_a_tag_that_does_not_fit_is_found_before_sending(tag: str) -> None:
    with pytest.raises(ValueError, match="tag"):
        requests.place(HELD, new_order(tag=tag))


def test_modify_and_cancel() -> None:
    change = Change(order=order_ref("26/1"), type=OrderType.LIMIT, quantity=10, price=28400000)
    request = requests.modify(HELD, change)
    assert (request.method, request.target) == ("PUT", "/orders/regular/26%2F1")
    assert form(request) == {"order_type": "LIMIT", "quantity": "10", "price": "2840.00", "validity": "DAY"}
    request = requests.cancel(HELD, "17")
    assert (request.method, request.target, request.body) == ("DELETE", "/orders/regular/17", b"")


def test_reads() -> None:
    pairs = tuple(InstrumentRef(exchange="NSE", symbol=name) for name in ("RELIANCE", "NIFTY 50"))
    assert requests.quotes(HELD, pairs).target == "/quote?i=NSE%3ARELIANCE&i=NSE%3ANIFTY+50"
    assert requests.ltp(HELD, pairs[:1]).target == "/quote/ltp?i=NSE%3ARELIANCE"
    assert requests.book(HELD).target == "/orders"
    assert requests.order_history(HELD, "17").target == "/orders/17"
    assert requests.trades(HELD).target == "/trades"
    assert requests.positions(HELD).target == "/portfolio/positions"
    assert requests.holdings(HELD).target == "/portfolio/holdings"
    assert requests.funds(HELD).target == "/user/margins/equity"
    assert requests.instruments(HELD, "NSE").target == "/instruments/NSE"
    target = requests.candles(
        HELD, token=738561, start=1772423100000, end=1772423160000, interval=Interval.MINUTE
    ).target
    assert urlsplit(target).path == "/instruments/historical/738561/minute"
    assert parse_qs(urlsplit(target).query)["from"] == ["2026-03-02 09:15:00"]


def test_requests_do_not_show_their_secrets() -> None:
    for request in (requests.place(HELD, new_order()), session.logout_request(HELD)):
        assert "acc7Xq2" not in f"{request} {request!r}"
        assert "simkey0001" not in f"{request} {request!r}"


def test_login() -> None:
    url = session.login_url(api_key="simkey0001", state="s/1")
    query = parse_qs(urlsplit(url).query)
    assert url.startswith("https://kite.zerodha.com/connect/login?")
    assert (query["v"], query["api_key"], query["redirect_params"]) == (["3"], ["simkey0001"], ["state=s%2F1"])
    expected = "90709f6e9232ccd836c3720eb6825e3ef112a28f7c9d66a10ecd41c0e19f127f"
    assert session.checksum("simkey0001", "rqtok123", "simsecret99") == expected
    request = session.token_request(api_key="simkey0001", api_secret="simsecret99", request_token="rqtok123")
    assert form(request)["checksum"] == expected
    assert b"simsecret99" not in request.body
    assert "Authorization" not in dict(request.headers)


@pytest.mark.parametrize(
    ("login", "end"),
    [
        (1772419870000, 1772497800000),  # 2026-03-02 08:21 IST: 06:00 of the next day
        (1772410800000 - 1000, 1772411400000),  # 05:49: dies the same morning
        (1772411400000, 1772497800000),  # 06:00 itself
    ],
)
def test_validity(login: int, end: int) -> None:
    assert session.valid_until(login) == end


def test_session_of_an_answer() -> None:
    body = b'{"user_id":"SM0001","api_key":"simkey0001","access_token":"acc7Xq2","login_time":"2026-03-02 08:41:10"}'
    held = session.session_of(body, api_key="simkey0001", now=1772419870000)
    assert (held.client_id, held.access_token, held.valid_until) == ("SM0001", "acc7Xq2", 1772497800000)
    for bad in (b"{}", body.replace(b"simkey0001", b"other"), body.replace(b"acc7Xq2", b"")):
        with pytest.raises(BadAnswer):
            session.session_of(bad, api_key="simkey0001", now=0)


HEADER = (
    b"instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,"
    b"strike,tick_size,lot_size,instrument_type,segment,exchange\n"
)


def test_instruments() -> None:
    listed = instruments.parse(
        HEADER
        + b"738561,2885,RELIANCE,RELIANCE INDUSTRIES,0,,0,0.05,1,EQ,NSE,NSE\n"
        + b"256265,1001,NIFTY 50,NIFTY 50,0,,0,0,0,EQ,INDICES,NSE\n"
        + b'13239042,51715,NIFTY26MAR22500CE,"NIFTY",0,2026-03-30,22500,0.05,75,CE,NFO-OPT,NFO\n'
    )
    assert [(one.symbol, one.token, one.tick_size, one.lot, one.kind) for one in listed] == [
        ("RELIANCE", 738561, 500, 1, "EQ"),
        ("NIFTY 50", 256265, 0, 0, "INDEX"),
        ("NIFTY26MAR22500CE", 13239042, 500, 75, "CE"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff\xfe",
        b"instrument_token,name\n",
        HEADER + b"x,2885,RELIANCE,R,0,,0,0.05,1,EQ,NSE,NSE\n",
        HEADER + b"1,2885,RELIANCE,R,0,,0,abc,1,EQ,NSE,NSE\n",
        HEADER + b"1,2885,RELIANCE\n",
        HEADER + b'1,2885,"RELIANCE\n',
    ],
)
def test_a_bad_list_is_refused_whole(text: bytes) -> None:
    with pytest.raises(BadAnswer):
        instruments.parse(text)
