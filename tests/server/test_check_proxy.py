"""`manage.py check_proxy`, against servers behind a real HAProxy, and what a customer gets past one."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from bookstore.environment import networks
from bookstore.management.commands.check_proxy import spellings
from bookstore.server import proxy_check
from tests.support.server import ROOT, running_server
from tools.processes import free_port

PATH = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"
# The one line of deploy/cluster/haproxy.cfg that this is about.
DROPS = "http-request del-header _ -m sub"
CUSTOMER = "127.0.0.2"  # an address of this machine that is no proxy's
SAYS_HTTP = "http-request set-header X-Forwarded-Proto http"
BEHIND_A_PROXY = {"TRUSTED_PROXIES": "127.0.0.1", "AUTH_THROTTLE_RATE": "3/min"}


def test_spellings_are_all_names_that_wsgi_takes_for_one():
    assert spellings("X-Forwarded-For") == ["X-Forwarded-For", "X-Forwarded_For", "X_Forwarded-For", "X_Forwarded_For"]


def test_shipped_haproxy_drops_headers_with_an_underscore():
    _, application = Path(ROOT, "deploy/cluster/haproxy.cfg").read_text().split("\nlisten application\n")

    assert DROPS in [line.strip() for line in application.splitlines()]


@pytest.mark.parametrize("asked", ["", "proxy", "proxy:1rrGgd:forged"])
def test_health_tells_a_stranger_nothing_of_the_proxies(client, asked):
    response = client.get("/health", headers={"X-Proxy-Check": asked})

    assert response.status_code == 200
    assert proxy_check.SEEN not in response.headers


def test_health_tells_who_has_the_key_what_it_saw(client):
    response = client.get("/health", headers={"X-Proxy-Check": proxy_check.question()})

    assert response.headers[proxy_check.SEEN] == '{"address": "127.0.0.1", "https": false}'


def test_question_is_answered_for_a_minute_only(client, monkeypatch):
    asked = proxy_check.question()
    now = time.time()
    monkeypatch.setattr("django.core.signing.time.time", lambda: now + proxy_check.GOOD_FOR + 1)

    response = client.get("/health", headers={"X-Proxy-Check": asked})

    assert proxy_check.SEEN not in response.headers


@pytest.mark.parametrize("url", ["shop.example", "ftp://shop.example", "https://", "https://a:b", "https://["])
def test_what_is_no_url_of_a_shop_is_refused(url):
    with pytest.raises(CommandError, match="is no address of a shop"):
        call_command("check_proxy", url)


def test_shop_that_does_not_answer_is_one_line():
    with pytest.raises(CommandError, match="does not answer"):
        call_command("check_proxy", f"http://127.0.0.1:{free_port()}")


@pytest.fixture
def program() -> str:
    program = shutil.which("haproxy", path=PATH)
    if not program:
        pytest.skip("haproxy is not installed: what it hands on is not tried")
    return program


@contextmanager
def haproxy(program: str, upstream: int, folder: Path, *lines: str) -> Iterator[int]:
    """HAProxy with these lines before the server on this port; gives its own port."""
    port = free_port()
    file = folder / f"haproxy-{port}.cfg"
    own = "".join(f"    {line}\n" for line in lines)
    file.write_text(
        "defaults\n    mode http\n    timeout connect 2s\n    timeout client 20s\n    timeout server 20s\n"
        f"listen shop\n    bind 127.0.0.1:{port}\n{own}    server shop 127.0.0.1:{upstream}\n"
    )
    process = subprocess.Popen([program, "-db", "-f", str(file)], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port), 5).close()
                break
            except OSError:
                time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def guess(port: int, number: int) -> int:
    """The status of a wrong password, each for another account, from an address that is made up."""
    connection = HTTPConnection("127.0.0.1", port, timeout=20, source_address=(CUSTOMER, 0))
    try:
        body = f'{{"email": "customer{number}@example.com", "password": "wrong"}}'
        headers = {"Content-Type": "application/json", "X_Forwarded_For": f"192.0.2.{number}"}
        connection.request("POST", "/auth/login", body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_command_is_not_run_from_a_trusted_address(program, tmp_path, settings):
    settings.TRUSTED_PROXIES = networks(["127.0.0.1"])
    with (
        running_server(workers=1, **BEHIND_A_PROXY) as server,
        haproxy(program, server, tmp_path, "option forwardfor", DROPS) as port,
        pytest.raises(CommandError, match=r"connects from 127\.0\.0\.1, which TRUSTED_PROXIES names"),
    ):
        call_command("check_proxy", f"http://127.0.0.1:{port}")


def checked(port: int, capsys: pytest.CaptureFixture[str]) -> tuple[bool, str]:
    """Whether the command found all well, and what it said."""
    try:
        call_command("check_proxy", f"http://127.0.0.1:{port}", source=CUSTOMER)
    except CommandError:
        return False, capsys.readouterr().out
    return True, capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_made_up_address_is_not_counted_behind_the_shipped_line(program, tmp_path, capsys):
    with (
        running_server(workers=1, **BEHIND_A_PROXY) as server,
        haproxy(program, server, tmp_path, "option forwardfor", DROPS, SAYS_HTTP) as port,
    ):
        guesses = [guess(port, number) for number in range(6)]
        well, said = checked(port, capsys)

    assert guesses == [401, 401, 401, 429, 429, 429]
    assert (well, said.splitlines()) == (
        True,
        [
            "The application counts this request under the address 127.0.0.2.",
            "What a customer claims is not believed.",
        ],
    )


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_command_finds_a_proxy_that_hands_on_underscores(program, tmp_path, capsys):
    with (
        running_server(workers=1, METRICS_ENABLED="1", TRUSTED_PROXIES="127.0.0.1", TMPDIR=str(tmp_path)) as server,
        haproxy(program, server, tmp_path, "option forwardfor") as port,
    ):
        well, said = checked(port, capsys)

    assert not well
    assert "WRONG: X_Forwarded_For of a customer is taken for the address: let the proxy drop it." in said
    assert "WRONG: X-Forwarded-Proto of a customer is taken for https: let the proxy drop it." in said
    assert "X-Forwarded-For of" not in said
    assert "/metrics" not in said


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_command_finds_metrics_that_a_proxy_opens(program, tmp_path, capsys):
    """A proxy on this machine that adds no header looks like a client on this machine."""
    settings = {"METRICS_ENABLED": "1", "METRICS_ALLOWED": "127.0.0.1", "TMPDIR": str(tmp_path)}
    with running_server(workers=1, **settings) as server, haproxy(program, server, tmp_path) as port:
        well, said = checked(port, capsys)

    assert not well
    assert "WRONG: /metrics is open to customers" in said
