"""What the `algo` command says when something it needs is not there: the way out, in a sentence; never a traceback."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from subprocess import CalledProcessError
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from algo_local import terminal
from algo_local.cli import app
from typer.testing import CliRunner


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALGO_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.delenv("ALGO_INSTANCE", raising=False)


def cluster_that(answers: str | None) -> Any:
    def kubectl(*arguments: str) -> str:
        if answers is None:
            raise CalledProcessError(1, ["kubectl", *arguments], "", "connection refused")
        return answers

    return SimpleNamespace(kubectl=kubectl)


def said(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, " ".join(result.output.split())


def test_status_says_how_to_start() -> None:
    assert said("status") == (1, "instance default: not running; start it with `algo up`")


@pytest.mark.parametrize("words", [("logs", "str_01x"), ("login", "--email=a@example.com", "--password=x")])
def test_a_cluster_that_does_not_answer(monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    monkeypatch.setattr(terminal, "find", lambda _name: cluster_that(None))
    code, text = said(*words)
    assert code == 1
    assert "connection refused" in text
    assert "`algo up` repairs it" in text


@pytest.mark.parametrize("words", [("strategies",), ("queue", "list", "x"), ("queue", "retry", "x", "t1")])
def test_without_a_login_the_way_out_is_named(words: tuple[str, ...]) -> None:
    assert said(*words) == (1, "nobody is logged in to instance 'default'; do so with `algo login`")


class Api(BaseHTTPRequestHandler):
    """Refuses every login."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps({"detail": "wrong e-mail address or password"}).encode()
        self.send_response(401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        return None


def test_a_wrong_password_is_said_and_not_repeated() -> None:
    with HTTPServer(("127.0.0.1", 0), Api) as server:
        Thread(target=server.handle_request).start()
        url = f"http://127.0.0.1:{server.server_port}"
        code, text = said("login", "--email=a@example.com", "--password=hunter2-secret", f"--url={url}")
    assert code == 1
    assert "refused the login (401): wrong e-mail address or password" in text
    assert "hunter2" not in text


def test_an_address_where_nothing_answers() -> None:
    with HTTPServer(("127.0.0.1", 0), Api) as server:
        port = server.server_port
    code, text = said("login", "--email=a@example.com", "--password=x", f"--url=http://127.0.0.1:{port}")
    assert code == 1
    assert "does not answer" in text


@pytest.mark.parametrize(
    "command", ["up", "down", "status", "doctor", "logs", "login", "strategies", "queue", "kubeconfig", "demo"]
)
def test_every_command_has_help(command: str) -> None:
    code, text = said(command, "--help")
    assert code == 0
    assert f"algo {command}" in text or f"root {command}" in text
