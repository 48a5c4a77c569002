"""The start scripts of the installed Redis and PostgreSQL, run with the real servers."""

import base64
import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

FILES = Path(__file__).parent.parent / "algo-trading" / "files"
Manifest = dict[str, Any]
START_SECONDS = 60.0


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def running(command: list[str], log: Path, **arguments: Any) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream, **arguments)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)


def until(true: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not true():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)


@pytest.fixture(scope="module")
def secrets_of_chart(render: Callable[..., list[Manifest]]) -> dict[str, dict[str, str]]:
    return {
        manifest["metadata"]["name"]: {key: base64.b64decode(value).decode() for key, value in manifest["data"].items()}
        for manifest in render()
        if manifest["kind"] == "Secret"
    }


@pytest.mark.redis
def test_redis_users_of_the_chart_and_of_the_operator(
    tmp_path: Path, secrets_of_chart: dict[str, dict[str, str]]
) -> None:
    secret = secrets_of_chart["algo-redis"]
    data, given = tmp_path / "data", tmp_path / "secret"
    data.mkdir()
    given.mkdir()
    (given / "users.acl").write_text(secret["users.acl"])
    port, log = free_port(), tmp_path / "log"
    environment = os.environ | {"DATA": str(data), "SECRET": str(given), "CONFIG": str(FILES)}
    command = ["sh", str(FILES / "redis-start.sh"), "--port", str(port)]

    def ask(user: str, password: str, *words: str) -> str:
        arguments = ["redis-cli", "-p", str(port), "--no-auth-warning", "--user", user, "-a", password, *words]
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=10)
        return (done.stdout + done.stderr).strip()

    with running(command, log, env=environment) as process:
        until(lambda: ask("probe", "none", "ping") == "PONG", process, log)
        assert "NOPERM" in ask("probe", "none", "get", "a")
        anonymous = subprocess.run(["redis-cli", "-p", str(port), "ping"], capture_output=True, text=True, timeout=10)
        assert "NOAUTH" in anonymous.stdout
        assert "WRONGPASS" in ask("operator", "wrong", "ping")
        operator, api = ("operator", secret["operator-password"]), ("api", secret["api-password"])
        assert ask(*operator, "acl", "setuser", "run-one", "on", ">secret-of-one", "~strategy:one:*", "+set") == "OK"
        assert ask(*operator, "acl", "save") == "OK"
        assert ask(*operator, "config", "get", "appendfsync").split() == ["appendfsync", "always"]
        assert "NOPERM" in ask(*operator, "flushall")
        assert ask(*api, "xadd", "strategy:one:commands", "*", "a", "b")
        for forbidden in (("acl", "list"), ("flushall",), ("config", "get", "*"), ("keys", "*")):
            assert "NOPERM" in ask(*api, *forbidden), forbidden
        script = "redis.call('INCR', KEYS[1]); return redis.call('PEXPIRE', KEYS[1], ARGV[1])"
        assert ask(*api, "eval", script, "1", "rate:login:x", "1000") == "1"
        for used in ("hget a b", "xrange a - +", "multi", "psubscribe strategy:*:notify", "publish a b", "client info"):
            assert ask(*operator, "acl", "dryrun", "api", *used.split()) == "OK", used
        recorder = ("recorder", secret["recorder-password"])
        assert "NOPERM" not in ask(*recorder, "xrange", "strategy:one:events", "-", "+")
        assert "NOPERM" in ask(*recorder, "set", "elsewhere", "1")
    with running(command, log, env=environment) as process:
        until(lambda: ask("probe", "none", "ping") == "PONG", process, log)
        assert ask("run-one", "secret-of-one", "set", "strategy:one:state", "1") == "OK"
        assert ask(*api, "xlen", "strategy:one:commands") == "1"


@pytest.fixture
def owned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[str]]]:
    """A folder of a user who may run PostgreSQL, and how to become that user."""
    if os.geteuid() != 0:
        yield tmp_path_factory.mktemp("postgresql"), []
        return
    user = pwd.getpwnam("postgres")
    folder = Path("/var/tmp") / f"algo-chart-{os.getpid()}"
    folder.mkdir(mode=0o700)
    os.chown(folder, user.pw_uid, user.pw_gid)
    yield folder, ["runuser", "-u", "postgres", "--"]
    shutil.rmtree(folder)


@pytest.mark.postgres
def test_postgresql_is_made_once_with_an_owner_that_is_no_superuser(
    tmp_path: Path, owned: tuple[Path, list[str]], secrets_of_chart: dict[str, dict[str, str]]
) -> None:
    folder, become = owned
    (folder / "owner-password").write_text(secrets_of_chart["algo-postgresql"]["owner-password"])
    script = folder / "start.sh"
    script.write_text((FILES / "postgresql-start.sh").read_text())
    for path in (folder / "owner-password", script):
        path.chmod(0o644)
    (folder / "pgdata.new").mkdir()  # left by a start that was cut off
    shutil.chown(folder / "pgdata.new", *(("postgres", "postgres") if become else (os.getuid(), os.getgid())))
    port, log = free_port(), tmp_path / "log"
    settings = {"PGDATA": f"{folder}/pgdata", "SECRET": str(folder), "DATABASE": "algo"}
    settings |= {"SOCKETS": str(folder), "PGPORT": str(port)}
    command = [*become, "env", *(f"{key}={value}" for key, value in settings.items()), "sh", str(script)]
    command += ["-p", str(port)]

    def ask(statement: str, user: str = "algo_owner") -> str:
        password = secrets_of_chart["algo-postgresql"]["owner-password"]
        arguments = ["psql", "-h", "127.0.0.1", "-p", str(port), "-U", user, "-d", "algo", "-Atc", statement]
        environment = os.environ | {"PGPASSWORD": password}
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=10, env=environment)
        return done.stdout.strip() if done.returncode == 0 else done.stderr

    rights = "SELECT rolsuper, rolcreaterole, rolbypassrls FROM pg_roles WHERE rolname = current_user"
    for start in ("first", "second"):
        with running(command, log, start_new_session=True) as process:
            until(lambda: ask("SELECT 1") == "1", process, log)
            assert ask(rights) == "f|t|f"
            if start == "first":
                assert ask("CREATE TABLE kept (a int)") == "CREATE TABLE"
                assert ask("CREATE ROLE algo_app LOGIN NOBYPASSRLS PASSWORD 'x'") == "CREATE ROLE"
            else:
                assert ask("SELECT count(*) FROM kept") == "0"
            assert "password authentication failed" in ask("SELECT 1", user="postgres")
