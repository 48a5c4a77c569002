"""Every way to a token, by the SDK's login class."""

import hashlib
import hmac
import struct
import time
from urllib.parse import parse_qs, urlsplit

import requests
from asking import raises
from dhanhq import DhanLogin
from hosts import ROOT

CLIENT, PIN, KEY, SECRET = "1000000003", "123456", "dhanapp001", "dhansecret99"
TOTP_KEY = b"Hello!\xde\xad\xbe\xef"


def totp() -> str:
    digest = hmac.digest(TOTP_KEY, struct.pack(">Q", int(time.time()) // 30), hashlib.sha1)
    start = digest[-1] & 15
    return f"{(struct.unpack_from('>I', digest, start)[0] & 0x7FFFFFFF) % 10**6:06}"


def consent(login: DhanLogin) -> str:
    """The three steps of the API key; the person's browser is a plain request."""
    raises(login.generate_login_session, "app_secret", KEY, "wrong")
    consent_id = login.generate_login_session(KEY, SECRET)
    page = f"{ROOT}/auth/login/consentApp-login?consentAppId={consent_id}"
    target = requests.get(page, allow_redirects=False, timeout=5).headers["Location"]
    token_id = parse_qs(urlsplit(target).query)["tokenId"][0]
    answer = login.consume_token_id(token_id, KEY, SECRET)
    assert answer["dhanClientId"] == CLIENT, answer
    assert login.consume_token_id(token_id, KEY, SECRET)["status"] == "error"
    return str(answer["accessToken"])


def tokens() -> str:
    """Every way to a token, each the end of the one before; returns the last."""
    login = DhanLogin(CLIENT)
    first = consent(login)
    assert login.user_profile(first)["dhanClientId"] == CLIENT
    assert login.generate_token("000000", totp()) == {"status": "error", "message": "Invalid Pin"}
    assert login.generate_token(PIN, "000000x")["message"] == "Invalid TOTP"
    second = login.generate_token(PIN, totp())["accessToken"]
    assert "2 minutes" in login.generate_token(PIN, totp())["message"]
    raises(login.user_profile, "DH-901", first)
    raises(login.renew_token, "DH-905", second)
    web = requests.get(f"{ROOT}/auth/web/access-token?dhanClientId={CLIENT}&pin={PIN}", timeout=5).text
    last = login.renew_token(web)["accessToken"]
    raises(login.user_profile, "DH-901", web)
    assert login.set_ip(last, "127.0.0.1", "PRIMARY")["data"]["status"] == "SUCCESS"
    assert login.modify_ip(last, "127.0.0.2", "PRIMARY")["remarks"]["error_code"] == "DH-905"
    assert login.get_ip(last)["data"]["primaryIP"] == "127.0.0.1"
    return str(last)
