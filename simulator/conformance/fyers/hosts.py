"""Points the official SDK at the simulator; nothing else of it is touched. Imported by the drivers beside it."""

import hashlib
from urllib.parse import parse_qs, urlsplit

import requests
from fyers_apiv3 import fyersModel
from fyers_apiv3.FyersWebsocket import data_ws, defines, order_ws

APP_ID, SECRET, REDIRECT = "SIMAPP0001-100", "simsecret99", "http://127.0.0.1:1/callback?x=1"


def use(root: str) -> None:
    fyersModel.Config.API = f"{root}/api/v3"
    fyersModel.Config.DATA_API = f"{root}/data"
    defines.INDEX_HSM_MAPPING_API = f"{root}/files/sym_details/index_hsm_mapping.json"
    init = data_ws.SymbolConversion.__init__

    def to_simulator(self: data_ws.SymbolConversion, *args: object, **kwargs: object) -> None:
        init(self, *args, **kwargs)
        self.symbols_token_api = f"{root}/data/symbol-token"

    data_ws.SymbolConversion.__init__ = to_simulator


def login() -> fyersModel.FyersModel:
    return fyersModel.FyersModel(client_id=APP_ID, token=access_token(), is_async=False, log_path="")


def access_token() -> str:
    session = fyersModel.SessionModel(
        client_id=APP_ID,
        secret_key=SECRET,
        redirect_uri=REDIRECT,
        response_type="code",
        grant_type="authorization_code",
        state="sim",
    )
    answer = requests.get(session.generate_authcode(), allow_redirects=False, timeout=5)
    query = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert (query["s"], query["code"], query["state"]) == (["ok"], ["200"], ["sim"]), query
    session.set_token(query["auth_code"][0])
    data = session.generate_token()
    assert data["s"] == "ok" and data["refresh_token"], data
    assert session.get_hash().hexdigest() == hashlib.sha256(f"{APP_ID}:{SECRET}".encode()).hexdigest()
    again = session.generate_token()
    assert (again["s"], again["code"]) == ("error", -437), again
    return data["access_token"]


def data_socket(root: str, **callbacks: object) -> data_ws.FyersDataSocket:
    socket = data_ws.FyersDataSocket(**callbacks)
    socket._FyersDataSocket__url = f"{root.replace('http', 'ws', 1)}/market-socket"
    return socket


def order_socket(root: str, **callbacks: object) -> order_ws.FyersOrderSocket:
    socket = order_ws.FyersOrderSocket(**callbacks)
    socket._FyersOrderSocket__url = f"{root.replace('http', 'ws', 1)}/order-socket"
    return socket
