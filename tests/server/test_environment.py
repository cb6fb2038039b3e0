"""Bad values of variables stop the start, and the message repeats no secret."""

import os
import random
import re
import string
from ipaddress import ip_network

import pytest
from django.http.request import validate_host

from bookstore import environment
from bookstore.database import from_url
from bookstore.environment import BadValue

SECRET = "Tr0ub4dor"


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://bookstore:pa/{SECRET}==@127.0.0.1:5432/bookstore",
        f"postgresql://bookstore:12/{SECRET}==@127.0.0.1:5432/bookstore",
        f"postgresql://bookstore:{SECRET}@{SECRET}@db.example/bookstore",
        f"postgresql://bookstore:{SECRET}#{SECRET}@db.example/bookstore",
        f"postgresql://bookstore:12?{SECRET}@db.example/bookstore",
        f"postgresql://bookstore:12?{SECRET}={SECRET}@db.example/bookstore",
        f"postgresql://bookstore:{SECRET} {SECRET}@db.example/bookstore",
        f"postgresql://bookstore:{SECRET}%zz@db.example/bookstore",
        f"postgresql:/bookstore:{SECRET}@db.example/bookstore",
        f"bookstore:{SECRET}@db.example/bookstore",
        f"{SECRET}://db.example/bookstore",
        f"mysql://bookstore:{SECRET}@db.example/bookstore",
    ],
)
def test_a_bad_url_is_refused_without_its_password(url):
    with pytest.raises(BadValue) as caught:
        from_url.database(url)

    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None or caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql://shop@db/shop?pgbouncer=true", "has the option 'pgbouncer', which libpq does not know"),
        ("postgresql://shop@db/shop?schema=public", "has the option 'schema', which libpq does not know"),
        ("postgresql://shop@db/shop?nothing", "has a malformed option"),
        ("postgresql://shop@db/shop\n", "begins or ends with a blank or a line break"),
        (" sqlite:///shop.sqlite3", "begins or ends with a blank or a line break"),
        ("postgresql://shop@db:port/shop", "names no host and port"),
    ],
)
def test_a_bad_url_is_told_what_is_wrong(url, reason):
    with pytest.raises(BadValue, match=re.escape(reason)):
        from_url.database(url)


@pytest.mark.parametrize(
    ("url", "host", "port", "password"),
    [
        ("postgresql://shop:p%2Fa%40s%23s@db.example:5433/shop", "db.example", "5433", "p/a@s#s"),
        ("postgresql://shop:a:b@[::1]/shop", "::1", "", "a:b"),
        ("postgresql://shop:secret@a:5432,b:5433/shop?target_session_attrs=any", "a,b", "5432,5433", "secret"),
        ("postgresql:///shop?host=/var/run/postgresql", "/var/run/postgresql", "", ""),
        ("postgresql://%2Fvar%2Frun/shop", "/var/run", "", ""),
        ("postgres://shop@db/shop?sslmode=require&options=-c%20search_path%3Dshop", "db", "", ""),
    ],
)
def test_a_good_url_is_taken(url, host, port, password):
    taken = from_url.database(url)

    assert (taken["HOST"], taken["PORT"], taken["PASSWORD"], taken["NAME"]) == (host, port, password, "shop")


def test_of_300_hostile_urls_none_tells_a_secret():
    """Passwords as generators make them, as they are or half encoded, in every place of a URL."""
    chance = random.Random(20)
    signs = string.ascii_letters + string.digits + "/@#?%:&=+ !$[]{}|\\^~`'\"<>\t\né"
    told = []
    for _ in range(300):
        password = "".join(chance.choices(signs, k=chance.randint(8, 24)))
        for place in ("postgresql://shop:{}@db.example:5432/shop", "postgresql://shop:{}@/shop", "{}"):
            try:
                taken = from_url.database(place.format(password))
            except BadValue as error:
                said = str(error)
            else:
                said = " ".join(str(taken.get(part, "")) for part in ("HOST", "PORT", "NAME", "USER"))
            told += [(password, said) for part in parts_of(password) if part in said]

    assert told == []


def parts_of(password):
    """Runs of five letters and digits: shorter ones are in any text."""
    return [run for run in re.findall(r"[A-Za-z0-9]+", password) if len(run) >= 5]


@pytest.mark.parametrize(
    ("value", "hosts"),
    [
        (["shop.example"], ["shop.example"]),
        ([" shop.example", "api.shop.example "], ["shop.example", "api.shop.example"]),
        (["shop.example", ""], ["shop.example"]),
        ([".shop.example", "*", "[::1]", "10.0.0.7", "app_1"], [".shop.example", "*", "[::1]", "10.0.0.7", "app_1"]),
    ],
)
def test_hosts_are_taken_without_blanks(value, hosts):
    assert environment.hosts(value) == hosts


@pytest.mark.parametrize(
    "value",
    ["shop.example api.shop.example", "https://shop.example", "shop.example:8000", "shop.example/", "::1", "bücher"],
)
def test_a_host_that_no_request_can_name_is_refused(value):
    with pytest.raises(BadValue, match=f"is wrong: {re.escape(repr(value))} is no host"):
        environment.hosts([value])


def test_of_300_hostile_hosts_each_that_is_taken_can_be_called():
    chance = random.Random(20)
    signs = string.ascii_letters + string.digits + "...---*:/ ,;[]_@\t\né"
    never_called = []
    for _ in range(300):
        value = "".join(chance.choices(signs, k=chance.randint(1, 12)))
        try:
            taken = environment.hosts(value.split(","))
        except BadValue:
            continue
        called = [host.lstrip(".*") or "shop.example" for host in taken]
        never_called += [value for host in called if not validate_host(host.lower(), taken)]

    assert never_called == []


def test_addresses_are_taken_without_blanks():
    assert environment.networks(["10.0.0.0/8", " ::1 ", ""]) == [ip_network("10.0.0.0/8"), ip_network("::1")]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_file_of_settings_is_read_and_the_environment_wins(tmp_path, monkeypatch, ending):
    monkeypatch.setattr("os.environ", {"PORT": "9000"})
    lines = ["\ufeff# of the shop", "PORT=8000", 'export HOST="::1"  # all', "WORKERS = 3", ""]
    (tmp_path / ".env").write_bytes(ending.join(lines).encode())

    environment.read_file(tmp_path / ".env")

    assert os.environ == {"PORT": "9000", "HOST": "::1", "WORKERS": "3"}


def test_a_missing_file_of_settings_is_none(tmp_path):
    assert environment.read_file(tmp_path / ".env") is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f'PORT=8000\nSECRET_KEY="{SECRET}\nTRUSTED_PROXIES=127.0.0.1\n', 2),
        (f"SECRET_KEY: {SECRET}\n", 1),
        (f"# a comment\n\nSECRET_KEY {SECRET}\n", 3),
        (f"PORT=8000\nSECRET_KEY={SECRET}\0\n", 2),
    ],
)
def test_a_line_that_is_no_assignment_stops_the_start(tmp_path, text, line):
    path = tmp_path / ".env"
    path.write_text(text)

    with pytest.raises(SystemExit) as stopped:
        environment.read_file(path)

    assert stopped.value.code == (
        f"bookstore cannot start: line {line} of {path} is no assignment: write NAME=value, or quote it whole."
    )


def test_a_file_of_settings_that_cannot_be_read_stops_the_start(tmp_path):
    of_another_encoding, folder = tmp_path / "latin-1", tmp_path / "folder"
    of_another_encoding.write_bytes(b"# caf\xe9\nPORT=8000\n")
    folder.mkdir()

    with pytest.raises(SystemExit, match="latin-1 is not UTF-8: save it as UTF-8"):
        environment.read_file(of_another_encoding)
    with pytest.raises(SystemExit, match="folder cannot be read: Is a directory"):
        environment.read_file(folder)
