"""deploy/nginx.conf in a real nginx: what it hands on, and what it answers by itself."""

import json
import re
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tools.nginx import find_nginx
from tools.nginx import nginx as running_nginx


class Upstream:
    """Stands for the application: keeps what it was sent, and answers 200 with a request id."""

    def __init__(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.connections = 0
        self.requests = []
        self.headers, self.seconds = "X-Request-ID: 1", 0.0  # of every answer
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
                time.sleep(self.seconds)
                head = f"HTTP/1.1 200 OK\r\n{self.headers}\r\nContent-Length: 2\r\nConnection: close"
                client.sendall(f"{head}\r\n\r\nok".encode())


@pytest.fixture
def upstream():
    upstream = Upstream()
    yield upstream
    upstream.close()


@pytest.fixture
def program():
    program = find_nginx()
    if not program:
        pytest.skip("nginx is not installed: deploy/nginx.conf is not tried")
    return program


@pytest.fixture
def nginx(program, upstream):
    """The port of nginx with deploy/nginx.conf before `upstream`."""
    with running_nginx(program, upstream.port) as port:
        yield port


def talk(port, *pieces):
    """The answer to a request that is sent in these pieces."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        for piece in pieces:
            client.sendall(piece.encode())
        answer = b""
        while not is_whole(answer) and (part := client.recv(65536)):
            answer += part
        return answer.decode()


def is_whole(answer):
    """Has all that its Content-Length says. nginx closes the connection of a refused body five seconds later."""
    head, end, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    return bool(end and length and len(body) >= int(length[1]))


def ask(port, request_line, *headers, body=""):
    """Status, headers (lower case; of one that is sent twice, both) and body of an answer."""
    sent = "\r\n".join([request_line, "Host: shop.example", "Connection: close", *headers])
    head, _, said = talk(port, f"{sent}\r\n\r\n{body}").partition("\r\n\r\n")
    status_line, *lines = head.split("\r\n")
    found = {}
    for line in lines:
        name, _, value = line.partition(": ")
        found[name.lower()] = f"{found[name.lower()]}, {value}" if name.lower() in found else value
    return int(status_line.split()[1]), found, said


POST = "POST /cart/items HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\nContent-Length: 20\r\n"


@pytest.mark.slow
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


def test_nginx_forwards_the_clients_real_address_only(nginx, upstream):
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


def test_address_that_a_server_of_the_storefront_names_is_handed_on(program, upstream):
    edited = {f"# {line}": line for line in ("set_real_ip_from 10.0.0.5;", "real_ip_header", "real_ip_recursive")}
    edited["# set_real_ip_from 10.0.0.5;"] = "set_real_ip_from 127.0.0.1;"

    with running_nginx(program, upstream.port, edited) as port:
        ask(port, "GET /cart HTTP/1.1", "X-Forwarded-For: 203.0.113.7")
        ask(port, "GET /cart HTTP/1.1", "X_Forwarded_For: 203.0.113.7")

    told = [re.findall(r"(?im)^x.forwarded.for: (\S+)", head) for head, _ in upstream.requests]
    assert told == [["203.0.113.7"], ["127.0.0.1"]]


def test_application_away_is_503_that_a_browser_shows_to_the_page(nginx, upstream):
    upstream.close()

    status, headers, body = ask(nginx, "GET /cart HTTP/1.1", "Origin: https://shop.example", "X-Request-ID: abc")

    assert (status, json.loads(body)["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert {name: value for name, value in headers.items() if name not in {"server", "date", "connection"}} == {
        "content-type": "application/json",
        "content-length": str(len(body)),
        "x-request-id": "abc",
        "access-control-allow-origin": "https://shop.example",
        "access-control-expose-headers": "ETag, Retry-After, X-Request-ID",
        "vary": "origin",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "retry-after": "1",
    }


def test_preflight_succeeds_while_the_application_is_away(nginx, upstream):
    upstream.close()

    status, headers, _ = ask(
        nginx,
        "OPTIONS /cart/items/4 HTTP/1.1",
        "Origin: https://shop.example",
        "Access-Control-Request-Method: PUT",
        "Access-Control-Request-Headers: authorization,content-type",
    )

    assert status == 204
    assert headers["access-control-allow-origin"] == "https://shop.example"
    assert headers["access-control-allow-methods"] == "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
    assert headers["access-control-allow-headers"] == "authorization,content-type"


def test_answer_of_the_application_gets_no_header_of_nginxs_own(nginx, upstream):
    _, headers, body = ask(nginx, "GET /cart HTTP/1.1", "Origin: https://shop.example", "X-Request-ID: abc")

    assert body == "ok"
    assert set(headers) == {"server", "date", "connection", "content-length", "x-request-id"}
    assert "X-Request-ID: abc" in upstream.requests[0][0].split("\r\n")


@pytest.mark.parametrize("sent", ["", "a b", "a" * 65, "é"])
def test_request_id_that_is_not_safe_is_replaced(nginx, upstream, sent):
    _, headers, _ = ask(nginx, "GET /cart HTTP/1.1", f"X-Request-ID: {sent}")

    assert re.fullmatch("[0-9a-f]{32}", headers["x-request-id"])
    assert f"X-Request-ID: {headers['x-request-id']}" in upstream.requests[0][0].split("\r\n")


@pytest.mark.parametrize(
    ("path", "length", "status"),
    [
        ("/cart/items", 1_000_000, 200),
        ("/cart/items", 1_000_001, 413),
        ("/books", 1_000_001, 413),
        ("/auth/login", 1_000_001, 413),
        ("/cart/items", 30_000_000, 413),
        ("/admin/catalog/book/import/", 1_000_001, 200),
        ("/admin/catalog/book/import/", 30_000_000, 413),
    ],
)
def test_body_over_its_paths_limit_never_reaches_the_application(nginx, upstream, path, length, status):
    body = "x" * length if status == 200 else ""

    answered, headers, said = ask(
        nginx, f"POST {path} HTTP/1.1", f"Content-Length: {length}", "Origin: https://shop.example", body=body
    )

    assert answered == status
    assert len(upstream.requests) == (1 if status == 200 else 0)
    if status == 413 and not path.startswith("/admin/"):
        assert json.loads(said)["code"] == "CONTENT_TOO_LARGE"
        assert headers["access-control-allow-origin"] == "https://shop.example"


def test_staff_are_told_in_html(nginx, upstream):
    _, too_large, _ = ask(nginx, "POST /admin/catalog/book/import/ HTTP/1.1", "Content-Length: 30000000")
    upstream.close()
    status, away, _ = ask(nginx, "GET /admin/ HTTP/1.1")

    assert (too_large["content-type"], status, away["content-type"]) == ("text/html", 503, "text/html")


def test_admin_without_its_slash_leads_on_at_the_browsers_own_address(nginx):
    status, headers, _ = ask(nginx, "GET /admin HTTP/1.1")

    assert (status, headers["location"]) == (301, "/admin/")


def test_catalogue_reads_over_the_limit_are_429_and_writes_not(program, upstream):
    few = {"rate=50r/s": "rate=1r/m", "burst=200 nodelay": "burst=2 nodelay"}

    with running_nginx(program, upstream.port, few) as port:
        reads = [ask(port, f"GET /books/{number} HTTP/1.1", "Origin: https://shop.example") for number in range(4)]
        others = [
            ask(port, line)[0] for line in ("PUT /books/1 HTTP/1.1", "OPTIONS /books HTTP/1.1", "GET /cart HTTP/1.1")
        ]

    assert [status for status, _, _ in reads] == [200, 200, 200, 429]
    _, headers, body = reads[-1]
    assert json.loads(body) == {
        "detail": "Too many requests for the catalogue: try again in 1 s.",
        "code": "THROTTLED",
    }
    assert (headers["retry-after"], headers["access-control-allow-origin"]) == ("1", "https://shop.example")
    assert others == [200, 200, 200]


@pytest.mark.slow
def test_one_request_at_a_time_fills_an_entry_of_the_cache(nginx, upstream):
    upstream.headers, upstream.seconds = "X-Request-ID: 1\r\nCache-Control: public, max-age=60", 0.5

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: ask(nginx, "GET /books HTTP/1.1"), range(10)))

    assert [(status, body) for status, _, body in answers] == [(200, "ok")] * 10
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("path", ["/cart", "/auth/me", "/admin/", "/books"])
def test_nothing_is_kept_but_public_answers_of_the_catalogue(nginx, upstream, path):
    if path != "/books":
        upstream.headers = "X-Request-ID: 1\r\nCache-Control: public, max-age=60"

    for _ in range(2):
        ask(nginx, f"GET {path} HTTP/1.1")

    assert len(upstream.requests) == 2


def test_a_server_of_the_storefront_is_not_limited(program, upstream):
    few = {"rate=50r/s": "rate=1r/m", "burst=200 nodelay": "burst=2 nodelay", "# 10.0.0.5 0;": "127.0.0.1 0;"}

    with running_nginx(program, upstream.port, few) as port:
        reads = [ask(port, "GET /books HTTP/1.1")[0] for _ in range(5)]

    assert reads == [200] * 5


@pytest.mark.parametrize(
    ("request_line", "status", "code"),
    [
        ("nonsense", 400, "BAD_REQUEST"),
        (f"GET /books?q={'a' * 9000} HTTP/1.1\r\nHost: shop.example", 400, "BAD_REQUEST"),
        (f"GET /books HTTP/1.1\r\nHost: shop.example\r\nCookie: {'a' * 40_000}", 400, "BAD_REQUEST"),
        ("GET /books HTTP/1.1", 400, "BAD_REQUEST"),  # no Host
        (POST.rstrip().replace("20", "-1"), 400, "BAD_REQUEST"),
        (POST.rstrip().replace("Content-Length: 20", "Transfer-Encoding: gzip"), 400, "BAD_REQUEST"),
        ("GET /books HTTP/3.0\r\nHost: shop.example", 400, "BAD_REQUEST"),
        ("GET /.refused HTTP/1.1\r\nHost: shop.example\r\nConnection: close", 404, "NOT_FOUND"),
        ("TRACE /books HTTP/1.1\r\nHost: shop.example", 405, "METHOD_NOT_ALLOWED"),
    ],
    ids=[
        *("nonsense", "long path", "long header", "no host", "bad length", "unknown coding", "unknown version"),
        *("own location", "trace"),
    ],
)
def test_request_that_nginx_refuses_is_told_in_the_envelope(nginx, upstream, request_line, status, code):
    head, _, body = talk(nginx, f"{request_line}\r\n\r\n").partition("\r\n\r\n")

    assert head.startswith(f"HTTP/1.1 {status} ")
    assert "Content-Type: application/json" in head
    assert json.loads(body)["code"] == code
    assert upstream.requests == []
