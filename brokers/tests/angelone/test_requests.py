"""What we send."""

import json
from typing import Any

import pytest
from algo_brokers.angelone import names, requests
from algo_brokers.angelone.names import Names, pack
from algo_brokers.http import HttpRequest
from algo_brokers.records import BrokerInstrument, Change, InstrumentRef
from algo_crds.contracts.orders import Leg, OrderType, Product, Side
from angelone_samples import AT, CALL, RELIANCE, TAG, held
from order_samples import new_order, order_ref

S = "/rest/secure/angelbroking"


def body(request: HttpRequest) -> Any:
    return json.loads(request.body)


def test_headers_of_every_call() -> None:
    request = requests.book(held())
    assert (request.method, request.target, request.body) == ("GET", f"{S}/order/v1/getOrderBook", b"")
    assert dict(request.headers) == {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "X-UserType": "USER",
        "X-SourceID": "WEB",
        "X-ClientLocalIP": "127.0.0.1",
        "X-ClientPublicIP": "127.0.0.1",
        "X-MACAddress": "02:00:00:00:00:01",
        "X-PrivateKey": "simkey0001",
        "Authorization": "Bearer h.p.s",
    }
    assert "Authorization" not in dict(requests.headers(api_key="k"))
    assert requests.bare("Bearer bearer a.b.c") == "a.b.c"


def test_orders_name_the_registered_address() -> None:
    order = new_order(instrument=RELIANCE)
    for request in (
        requests.place(held(), order, address="203.0.113.7"),
        requests.cancel(held(), order_ref("1"), address="203.0.113.7"),
    ):
        assert dict(request.headers)["X-ClientPublicIP"] == "203.0.113.7"


def test_place_a_limit() -> None:
    request = requests.place(held(), new_order(instrument=RELIANCE, tag=TAG))
    assert (request.method, request.target) == ("POST", f"{S}/order/v1/placeOrder")
    assert body(request) == {
        "variety": "NORMAL",
        "tradingsymbol": "RELIANCE-EQ",
        "symboltoken": "2885",
        "exchange": "NSE",
        "transactiontype": "BUY",
        "ordertype": "LIMIT",
        "price": "2870.00",
        "producttype": "INTRADAY",
        "duration": "DAY",
        "quantity": "10",
        "ordertag": TAG,
    }


def test_place_a_stop() -> None:
    stop = new_order(
        instrument=CALL,
        side=Side.SELL,
        type=OrderType.STOP_LIMIT,
        price=1180500,
        trigger=1200000,
        quantity=75,
        product=Product.DELIVERY,
    )
    sent = body(requests.place(held(), stop))
    assert (sent["variety"], sent["ordertype"]) == ("STOPLOSS", "STOPLOSS_LIMIT")
    assert (sent["price"], sent["triggerprice"]) == ("118.05", "120.00")
    assert (sent["exchange"], sent["symboltoken"], sent["producttype"]) == ("NFO", "48212", "CARRYFORWARD")


@pytest.mark.parametrize(
    "changes",
    [
        {"tag": "a" * 20},
        {"tag": ""},
        {"tag": "with space"},
        {"tag": "ümlaut"},
        {"instrument": InstrumentRef(exchange="NSE", symbol="X")},
        {"instrument": InstrumentRef(exchange="NFO", symbol="X", token=pack(1, 5), broker_symbol="X")},
        {"instrument": InstrumentRef(exchange="NYSE", symbol="X", token=pack(1, 5), broker_symbol="X")},
        {"type": OrderType.STOP_LIMIT, "side": Side.SELL, "price": 101, "trigger": 100},
        {"type": OrderType.STOP_LIMIT, "side": Side.BUY, "price": 99, "trigger": 100},
    ],
)
def test_what_cannot_be_right_is_not_sent(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        requests.place(held(), new_order(**{"instrument": RELIANCE, **changes}))


def test_modify_sends_the_complete_new_state() -> None:
    ref = order_ref("260302000012345", leg=Leg.STOP)
    change = Change(order=ref, type=OrderType.STOP_LIMIT, quantity=7, price=28505000, trigger=28600500)
    request = requests.modify(held(), change, RELIANCE)
    assert (request.method, request.target) == ("POST", f"{S}/order/v1/modifyOrder")
    assert body(request) == {
        "variety": "STOPLOSS",
        "orderid": "260302000012345",
        "ordertype": "STOPLOSS_LIMIT",
        "price": "2850.50",
        "triggerprice": "2860.05",
        "producttype": "INTRADAY",
        "duration": "DAY",
        "quantity": "7",
        "tradingsymbol": "RELIANCE-EQ",
        "symboltoken": "2885",
        "exchange": "NSE",
    }


@pytest.mark.parametrize(("leg", "variety"), [(Leg.STOP, "STOPLOSS"), (Leg.ENTRY, "NORMAL"), (Leg.EXIT, "NORMAL")])
def test_cancel_says_the_variety_that_the_order_was_born_with(leg: Leg, variety: str) -> None:
    request = requests.cancel(held(), order_ref("17", leg=leg))
    assert (request.method, request.target) == ("POST", f"{S}/order/v1/cancelOrder")
    assert body(request) == {"variety": variety, "orderid": "17"}


@pytest.mark.parametrize(
    ("exchange", "product", "word"),
    [
        ("NSE", Product.INTRADAY, "INTRADAY"),
        ("NFO", Product.INTRADAY, "INTRADAY"),
        ("NSE", Product.DELIVERY, "DELIVERY"),
        ("BSE", Product.DELIVERY, "DELIVERY"),
        ("NFO", Product.DELIVERY, "CARRYFORWARD"),
        ("MCX", Product.DELIVERY, "CARRYFORWARD"),
    ],
)
def test_products(exchange: str, product: Product, word: str) -> None:
    assert names.product(exchange, product) == word


def test_reads() -> None:
    session = held()
    for request, target in (
        (requests.details(session, "a/b"), f"{S}/order/v1/details/a%2Fb"),
        (requests.trades(session), f"{S}/order/v1/getTradeBook"),
        (requests.positions(session), f"{S}/order/v1/getPosition"),
        (requests.holdings(session), f"{S}/portfolio/v1/getHolding"),
        (requests.funds(session), f"{S}/user/v1/getRMS"),
        (requests.profile(session), f"{S}/user/v1/getProfile"),
    ):
        assert (request.method, request.target) == ("GET", target)
    master = requests.scrip_master()
    assert (master.target, master.headers) == ("/OpenAPI_File/files/OpenAPIScripMaster.json", ())


def test_margin_has_numbers_and_camel_case() -> None:
    request = requests.margin(held(), (new_order(instrument=CALL, price=1254500, product=Product.DELIVERY),))
    assert request.target == f"{S}/margin/v1/batch"
    assert body(request) == {
        "positions": [
            {
                "exchange": "NFO",
                "qty": 10,
                "price": 125.45,
                "productType": "CARRYFORWARD",
                "token": "48212",
                "tradeType": "BUY",
                "orderType": "LIMIT",
            }
        ]
    }
    assert b'"price":125.45,' in request.body


def test_quotes_by_token() -> None:
    request = requests.quotes(held(), (RELIANCE, CALL))
    assert request.target == f"{S}/market/v1/quote/"
    assert body(request) == {"mode": "FULL", "exchangeTokens": {"NSE": ["2885"], "NFO": ["48212"]}}


def test_last_price() -> None:
    request = requests.last_price(held(), RELIANCE)
    assert request.target == f"{S}/order/v1/getLtpData"
    assert body(request) == {"exchange": "NSE", "tradingsymbol": "RELIANCE-EQ", "symboltoken": "2885"}


def test_candles() -> None:
    request = requests.candles(
        held(), RELIANCE, interval="ONE_MINUTE", first="2026-03-02 09:15", last="2026-03-02 15:30"
    )
    assert request.target == f"{S}/historical/v1/getCandleData"
    assert body(request) == {
        "exchange": "NSE",
        "symboltoken": "2885",
        "interval": "ONE_MINUTE",
        "fromdate": "2026-03-02 09:15",
        "todate": "2026-03-02 15:30",
    }


def _listed(symbol: str, spelling: str, exchange: str, token: int) -> BrokerInstrument:
    return BrokerInstrument(
        exchange=exchange,
        symbol=symbol,
        token=token,
        name="",
        tick_size=500,
        lot=1,
        kind="EQ",
        broker_symbol=spelling,
    )


def test_names_come_from_the_caller_or_the_list() -> None:
    book = Names()
    bare = InstrumentRef(exchange="NSE", symbol="RELIANCE")
    assert book.resolve(RELIANCE) is RELIANCE
    assert book.resolve(bare) is None
    assert book.known(new_order(instrument=bare)) is None
    book.learn((_listed("RELIANCE", "RELIANCE-EQ", "NSE", RELIANCE.token),), now=AT)
    assert book.resolve(bare) == RELIANCE
    known = book.known(new_order(instrument=bare))
    assert known is not None
    assert known.instrument == RELIANCE


def test_rows_are_named_by_token_then_by_spelling_then_by_rule() -> None:
    book = Names()
    assert book.name_of("NSE", "2885", "RELIANCE-EQ") == "RELIANCE"
    assert book.name_of("NSE", "", "M&M-BE") == "M&M-BE"
    assert book.name_of("NSE", "", "BAJAJ-AUTO-EQ") == "BAJAJ-AUTO"
    assert book.name_of("NSE", "99926000", "Nifty 50") == "Nifty 50"
    assert book.name_of("BSE", "500325", "RELIANCE") == "RELIANCE"
    assert book.name_of("NFO", "48212", "NIFTY26MAR2625000CE") == "NIFTY26MAR2625000CE"
    book.learn((_listed(CALL.symbol, CALL.broker_symbol, "NFO", CALL.token),), now=AT)
    assert book.name_of("NFO", "48212", CALL.broker_symbol) == CALL.symbol
    assert book.name_of("NFO", "", CALL.broker_symbol) == CALL.symbol
    # A token that means another contract by now names nothing of ours.
    assert book.name_of("NFO", "48212", "NIFTY26APR2625000CE") == "NIFTY26APR2625000CE"


def test_a_new_day_forgets_the_old_list() -> None:
    book = Names()
    book.learn((_listed(CALL.symbol, CALL.broker_symbol, "NFO", CALL.token),), now=AT)
    book.learn((), now=AT + 60_000)
    assert book.name_of("NFO", "48212", CALL.broker_symbol) == CALL.symbol
    book.learn((), now=AT + 86_400_000)
    assert book.name_of("NFO", "48212", CALL.broker_symbol) == CALL.broker_symbol


def test_index_tokens() -> None:
    assert names.is_index(pack(1, 99926000))
    assert names.is_index(pack(3, 99919000))
    assert not names.is_index(pack(1, 2885))
    assert not names.is_index(pack(2, 99926000))
