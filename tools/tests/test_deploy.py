"""Dockerfile, compose.yaml and deploy/: what they name exists, and what can be run without a container is run."""

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import threading
import time
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml
from django.apps import apps
from django.db import connection

from tools.nginx import find_nginx
from tools.nginx import nginx as running_nginx

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = (ROOT / "compose.yaml").read_text()
ENV_EXAMPLE = (ROOT / ".env.example").read_text()
# The folders of our apps; bookstore.accounts and its like are inside of one.
APPS = {app.name for app in apps.get_app_configs() if Path(app.path) == ROOT / app.name}
# What Python, pip and PATH read; everything else must be a variable of ours.
OF_OTHERS = {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "PIP_DISABLE_PIP_VERSION_CHECK", "PIP_NO_CACHE_DIR"}


def documented():
    return set(re.findall(r"^#?([A-Z_]+)=", ENV_EXAMPLE, flags=re.MULTILINE))


def read_by_the_code():
    settings = (ROOT / "bookstore" / "settings.py").read_text()
    serve = (ROOT / "bookstore" / "management" / "commands" / "serve.py").read_text()
    options = re.findall(r'^ +\("([a-z]+)", "', serve, flags=re.MULTILINE)
    return {*re.findall(r'read\(\s*"([A-Z_]+)"', settings), *(option.upper() for option in options)}


def services():
    return yaml.safe_load(COMPOSE)["services"]


def instructions(name):
    joined = re.sub(r"\\\n(?:\s*#.*\n)*", " ", DOCKERFILE)
    return re.findall(rf"^(?:HEALTHCHECK .*)?{name} (.*)$", joined, flags=re.MULTILINE)


def test_every_variable_of_the_image_is_one_that_the_code_reads():
    set_there = {pair.partition("=")[0] for line in instructions("ENV") for pair in shlex.split(line)}

    assert set_there - OF_OTHERS == {"HOST", "PORT"}
    assert set_there - OF_OTHERS <= read_by_the_code()


def test_every_variable_of_compose_is_one_that_the_code_reads():
    app = services()["app"]["environment"]

    assert {"DATABASE_URL", "TRUSTED_PROXIES"} <= set(app) <= read_by_the_code() & documented()
    assert services()["migrate"]["environment"] == app
    assert set(re.findall(r"\$\{([A-Z_]+)", COMPOSE)) == {"POSTGRES_PASSWORD", "PORT"} <= documented()


def test_the_application_believes_the_network_that_nginx_is_in():
    [network] = yaml.safe_load(COMPOSE)["networks"]["default"]["ipam"]["config"]

    assert services()["app"]["environment"]["TRUSTED_PROXIES"] == network["subnet"]


def test_nginx_hands_on_to_the_service_and_port_that_compose_starts():
    app = services()["app"]["environment"]
    [volume] = services()["nginx"]["volumes"]

    assert f"server app:{app['PORT']};" in (ROOT / volume.partition(":")[0]).read_text()
    assert services()["nginx"]["ports"] == ["127.0.0.1:${PORT:-8000}:80"]
    assert "ports" not in services()["app"]


def test_what_the_image_copies_is_there_and_not_ignored():
    copied = {path for line in instructions("COPY") if "--from" not in line for path in line.split()[:-1]}
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    git = shutil.which("git")
    tracked = subprocess.run([git, "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.split() if git else []
    top = {path.partition("/")[0] for path in tracked} or {path.name for path in ROOT.iterdir()}
    let_through = {name for name in top if not any(fnmatch(name, line) for line in lines)}

    assert copied == {"requirements.txt", "."}
    assert let_through == {"requirements.txt", "manage.py", *APPS}


def test_the_image_does_not_run_as_root():
    assert DOCKERFILE.rindex("\nUSER bookstore") < DOCKERFILE.rindex("\nCMD ")
    assert DOCKERFILE.rindex("\nFROM ") < DOCKERFILE.rindex("\nUSER bookstore")


def test_commands_of_ours_are_commands_of_manage_py():
    commands = [json.loads(instructions("CMD")[-1]), services()["migrate"]["command"]]

    for command in commands:
        answer = subprocess.run(
            [sys.executable, "manage.py", command[2], "--help"],
            cwd=ROOT,
            env=os.environ | {"DEBUG": "1"},
            capture_output=True,
            text=True,
        )
        assert command[:2] == ["python", "manage.py"]
        assert answer.returncode == 0, answer.stderr
        assert all(option in answer.stdout for option in command[3:] if option.startswith("--"))


@pytest.mark.parametrize(("status", "code"), [("200 OK", 0), ("503 Service Unavailable", 1)])
def test_the_health_check_asks_for_health_by_the_first_allowed_host(status, code):
    [healthcheck] = [json.loads(line) for line in re.findall(r"HEALTHCHECK .*CMD (\[.*\])", joined_dockerfile())]
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            client, _ = server.accept()
            with client:
                asked.append(client.recv(65536).decode())
                client.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())

        thread = threading.Thread(target=answer)
        thread.start()
        check = subprocess.run(
            [sys.executable, *healthcheck[1:]],
            env=os.environ | {"ALLOWED_HOSTS": ".shop.example, other", "PORT": str(server.getsockname()[1])},
            capture_output=True,
        )
        thread.join()

    assert check.returncode == code
    assert asked[0].startswith("GET /health HTTP/1.1\r\n")
    assert "Host: shop.example\r\n" in asked[0]


def joined_dockerfile():
    return re.sub(r"\\\n", "", DOCKERFILE)


# --- nginx -----------------------------------------------------------------------------------------------------------


class Upstream:
    """Stands for the application: keeps what it was sent, and answers 200."""

    def __init__(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.connections = 0
        self.requests = []
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def close(self):
        """Also wakes the thread that waits for a connection, and would keep the port open."""
        if self.thread.is_alive():
            self.server.shutdown(socket.SHUT_RDWR)
            self.thread.join(5)
        self.server.close()

    def run(self):
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            self.connections += 1
            with client:
                said = b""
                while b"\r\n\r\n" not in said:
                    said += client.recv(65536)
                head, _, body = said.partition(b"\r\n\r\n")
                length = int((re.search(rb"(?i)content-length: (\d+)", head) or [0, 0])[1])
                while len(body) < length:
                    body += client.recv(65536)
                self.requests.append((head.decode(), body.decode()))
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")


@pytest.fixture
def upstream():
    upstream = Upstream()
    yield upstream
    upstream.close()


@pytest.fixture
def nginx(upstream):
    """The port of nginx with deploy/nginx.conf before `upstream`."""
    program = find_nginx()
    if not program:
        pytest.skip("nginx is not installed: deploy/nginx.conf is not tried")
    with running_nginx(program, upstream.port) as port:
        yield port


def talk(port, *pieces, pause=0.0):
    """The answer to a request that is sent in these pieces."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        for piece in pieces:
            client.sendall(piece.encode())
            time.sleep(pause)
        answer = b""
        while part := client.recv(65536):
            answer += part
        return answer.decode()


POST = "POST /cart/items HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\nContent-Length: 20\r\n"


def test_nginx_keeps_a_slow_clients_request_until_it_is_whole(nginx, upstream):
    seen = []
    with socket.create_connection(("127.0.0.1", nginx), timeout=20) as client:
        for piece in (f"{POST}\r\n", '{"book_id"', ": 1234567}"):
            seen.append(upstream.connections)
            client.sendall(piece.encode())
            time.sleep(0.4)
        answer = client.recv(65536).decode()

    assert seen == [0, 0, 0]
    assert answer.startswith("HTTP/1.1 200 OK")
    assert [body for _, body in upstream.requests] == ['{"book_id": 1234567}']


def test_nginx_tells_the_clients_own_address_and_nothing_that_the_client_wrote(nginx, upstream):
    forged = (
        "X-Forwarded-For: 192.0.2.9\r\nForwarded: for=192.0.2.9\r\nX-Real-IP: 192.0.2.9\r\nX-Forwarded-Proto: https\r\n"
    )

    talk(nginx, f"{POST}{forged}\r\n", "x" * 20)

    [(head, _)] = upstream.requests
    lines = head.split("\r\n")[1:]
    assert "X-Forwarded-For: 127.0.0.1" in lines
    assert "X-Forwarded-Proto: http" in lines
    assert "Host: shop.example" in lines
    assert "192.0.2.9" not in head


def test_nginx_speaks_the_envelope_when_the_application_is_away(nginx, upstream):
    upstream.close()

    answer = talk(nginx, "GET /books HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n")

    head, _, body = answer.partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 503 ")
    assert "Retry-After: 1" in head
    assert "Content-Type: application/json" in head
    assert json.loads(body)["code"] == "SERVICE_UNAVAILABLE"


def test_nginx_speaks_the_envelope_when_a_body_is_too_large(nginx, upstream):
    answer = talk(nginx, POST.replace("20", str(30_000_000)) + "\r\n")

    head, _, body = answer.partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 413 ")
    assert json.loads(body)["code"] == "CONTENT_TOO_LARGE"
    assert upstream.requests == []


@pytest.mark.parametrize(
    ("request_line", "status", "code"),
    [
        ("nonsense", 400, "BAD_REQUEST"),
        (f"GET /books?q={'a' * 9000} HTTP/1.1\r\nHost: shop.example", 400, "BAD_REQUEST"),
        (f"GET /books HTTP/1.1\r\nHost: shop.example\r\nCookie: {'a' * 40_000}", 400, "BAD_REQUEST"),
        ("GET /books HTTP/1.1", 400, "BAD_REQUEST"),  # no Host
        (POST.rstrip().replace("20", "-1"), 400, "BAD_REQUEST"),
        (POST.rstrip().replace("Content-Length: 20", "Transfer-Encoding: gzip"), 400, "BAD_REQUEST"),
        ("TRACE /books HTTP/1.1\r\nHost: shop.example", 405, "METHOD_NOT_ALLOWED"),
    ],
    ids=["nonsense", "long path", "long header", "no host", "bad length", "unknown coding", "trace"],
)
def test_nginx_speaks_the_envelope_when_a_request_cannot_be_read(nginx, upstream, request_line, status, code):
    head, _, body = talk(nginx, f"{request_line}\r\n\r\n").partition("\r\n\r\n")

    assert head.startswith(f"HTTP/1.1 {status} ")
    assert "Content-Type: application/json" in head
    assert json.loads(body)["code"] == code
    assert upstream.requests == []


# --- deploy/cluster: rendered and run by the package cluster, whose tests look at the rest ----------------------------


@pytest.mark.postgres
def test_patroni_names_only_parameters_that_postgresql_has(db):
    text = re.sub(r"\$\{\w+\}", "word", (ROOT / "deploy" / "cluster" / "patroni.yml").read_text())
    configuration = yaml.safe_load(text)
    named = {
        *configuration["bootstrap"]["dcs"]["postgresql"]["parameters"],
        *configuration["postgresql"]["parameters"],
    }

    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_settings")
        known = {name.lower() for (name,) in cursor.fetchall()}  # TimeZone is written as one likes

    assert {"wal_log_hints", "unix_socket_directories"} <= named <= known


def test_pgbouncer_names_only_settings_that_there_are():
    example = Path("/usr/share/doc/pgbouncer/examples/pgbouncer.ini")
    if not example.exists():
        pytest.skip(
            "pgbouncer is not installed (Debian package pgbouncer): its settings cannot be compared with its own list"
        )
    setting = re.compile(r"^;?([a-z_]+) =", flags=re.MULTILINE)

    named = setting.findall((ROOT / "deploy" / "cluster" / "pgbouncer.ini").read_text().partition("[pgbouncer]")[2])

    assert "pool_mode" in named
    assert set(named) <= set(setting.findall(example.read_text()))


# --- systemd, and the chapter for operators ---------------------------------------------------------------------------


@pytest.mark.parametrize("unit", sorted(path.name for path in (ROOT / "deploy").glob("*.service")))
def test_the_units_run_commands_that_there_are(unit):
    commands = re.findall(r"^ExecStart=\S+/python manage\.py (\S+)", (ROOT / "deploy" / unit).read_text(), re.MULTILINE)

    assert commands
    for command in commands:
        assert list(ROOT.glob(f"*/management/commands/{command}.py")) or list(
            ROOT.glob(f"*/*/management/commands/{command}.py")
        )


def test_the_operators_chapter_names_variables_that_are_read_and_files_that_are_there():
    chapter = (ROOT / "docs" / "running.md").read_text()
    named = set(re.findall(r"`([A-Z]{2,}(?:_[A-Z]+)+)(?:=[^`]*)?`", chapter))

    assert {"DATABASE_URL", "METRICS_TOKEN", "JWT_SIGNING_KEY_PREVIOUS"} <= named
    assert named - documented() == set()
    assert all((ROOT / "docs" / target).exists() for target in re.findall(r"\]\((\.\./[^)]*)\)", chapter))


def test_the_operators_chapter_names_every_metric():
    chapter = (ROOT / "docs" / "running.md").read_text()
    code = (ROOT / "bookstore" / "server" / "metrics.py").read_text()
    defined = re.findall(r'(Counter|Histogram|Gauge)\(\s*"(bookstore_[a-z_]+)"', code)

    assert len(defined) > 5
    for kind, name in defined:
        assert f"`{name}{'_total' if kind == 'Counter' else ''}`" in chapter, name
