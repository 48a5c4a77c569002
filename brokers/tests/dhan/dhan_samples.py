"""Answers and lines as the broker documents them, with values of our own."""

from dhan_stand import CANARY, CLIENT, TAG

AUTHENTICATOR = "JBSWY3DPEHPK3PXP"

TOKEN = {
    "dhanClientId": CLIENT,
    "dhanClientName": "SIM USER",
    "dhanClientUcc": "SIMU0003A",
    "givenPowerOfAttorney": False,
    "accessToken": CANARY,
    "expiryTime": "2026-11-24T09:05:11.000",
}
PROFILE = {
    "dhanClientId": CLIENT,
    "tokenValidity": "24/11/2026 09:05",
    "activeSegment": "Equity, Derivative, Currency, Commodity",
    "ddpi": "Active",
    "mtf": "Deactive",
    "dataPlan": "Active",
    "dataValidity": "2026-12-20 18:30:00.0",
}

UPDATE = {
    "exchange": "NSE",
    "segment": "E",
    "source": "P",
    "securityId": "1333",
    "clientId": CLIENT,
    "exchOrderNo": "1300000000123456",
    "orderNo": "312611234433",
    "product": "I",
    "txnType": "B",
    "orderType": "LMT",
    "validity": "DAY",
    "discQuantity": 0,
    "remainingQuantity": 6,
    "quantity": 10,
    "tradedQty": 4,
    "price": 1605.5,
    "triggerPrice": 0,
    "tradedPrice": 1605.45,
    "avgTradedPrice": 1605.45,
    "algoOrdNo": "",
    "offMktFlag": "0",
    "orderDateTime": "2026-11-23 09:20:11",
    "exchOrderTime": "2026-11-23 09:20:12",
    "lastUpdatedTime": "2026-11-23 09:20:15",
    "remarks": "NR",
    "mktType": "NL",
    "reasonDescription": "CONFIRMED",
    "legNo": 1,
    "instrument": "EQUITY",
    "symbol": "HDFCBANK",
    "productName": "INTRADAY",
    "status": "Pending",
    "lotSize": 1,
    "strikePrice": 0,
    "expiryDate": "0001-01-01 00:00:00",
    "optType": "XX",
    "displayName": "HDFC Bank",
    "isin": "INE040A01034",
    "series": "EQ",
    "algoId": "0",
    "multiplier": 1,
    "correlationId": TAG,
}


HEADER = (
    "SEM_EXM_EXCH_ID,SEM_SEGMENT,SEM_SMST_SECURITY_ID,SEM_INSTRUMENT_NAME,SEM_EXPIRY_CODE,SEM_TRADING_SYMBOL,"
    "SEM_LOT_UNITS,SEM_CUSTOM_SYMBOL,SEM_EXPIRY_DATE,SEM_STRIKE_PRICE,SEM_OPTION_TYPE,SEM_TICK_SIZE,SEM_EXPIRY_FLAG,"
    "SEM_EXCH_INSTRUMENT_TYPE,SEM_SERIES,SM_SYMBOL_NAME"
)
SHARE = "NSE,E,2885,EQUITY,0,RELIANCE,1.0,Reliance Industries,,,,10.0000,NA,ES,EQ,RELIANCE INDUSTRIES LTD"
WEEKLY = (
    "NSE,D,49081,OPTIDX,0,NIFTY-Dec2026-26000-CE,75.0,NIFTY 01 DEC 26000 CALL,2026-12-01 14:30:00,26000.00000,CE,"
    "5.0000,W,OP,NA,NIFTY"
)
MONTHLY = (
    "NSE,D,49082,OPTIDX,0,NIFTY-Dec2026-26050.5-PE,75.0,NIFTY 29 DEC 26050.5 PUT,2026-12-29,26050.50000,PE,5.0000,M,OP,"
    "NA,NIFTY"
)
FUTURE = (
    "NSE,D,49083,FUTSTK,0,BAJAJ-AUTO-Dec2026-FUT,75,BAJAJ-AUTO DEC FUT,2026-12-29,-0.01,XX,10.0,M,FUT,NA,BAJAJ-AUTO"
)
CURRENCY = "NSE,C,1,FUTCUR,0,USDINR-Dec2026-FUT,1,USDINR DEC FUT,2026-12-29,,XX,0.2500,M,FUT,NA,USDINR"


TICKER = bytes.fromhex("02100001350500000048c944800e8069")
QUOTE = bytes.fromhex(
    "04320001350500000060c9440500810e806900b0c844393000000a000000140000000000c84400e0c7440080ca4400c0c644"
)
DISCONNECT = bytes.fromhex("320a0000000000002503")
