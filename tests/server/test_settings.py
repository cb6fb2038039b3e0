"""A missing or bad variable stops the start with one line that names it."""

import os
import re
import runpy
import subprocess
import sys
from contextlib import chdir
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from bookstore import environment
from bookstore.database import from_url
from catalog.importing.money import SYMBOLS

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "SECRET_KEY": "0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOP",
    "JWT_SIGNING_KEY": "another-key-0123456789-abcdefghijklmnop",
    "ALLOWED_HOSTS": "shop.example",
    "DATABASE_URL": "postgresql://shop:secret@db.example/shop",
}


KEPT = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH")


@dataclass(frozen=True)
class Started:
    """How the settings were read: all of them, or the line that stops the start."""

    returncode: int
    stderr: str
    settings: dict[str, Any] = field(default_factory=dict)


def start_process(tmp_path: Path, **environ: str) -> Started:
    """Imports the settings in a fresh process that has just these variables."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import bookstore.settings"
    done = subprocess.run(  # our own interpreter and code
        [sys.executable, "-c", code], cwd=tmp_path, env=kept | environ, capture_output=True, text=True, check=False
    )
    return Started(done.returncode, done.stderr)


def start(tmp_path: Path, **environ: str) -> Started:
    """The same in this process: a hundred times faster, since Python and Django have started."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    with mock.patch.dict(os.environ, kept | environ, clear=True), chdir(tmp_path):
        try:
            return Started(0, "", runpy.run_path(str(ROOT / "bookstore" / "settings.py")))
        except SystemExit as stop:
            return Started(1, f"{stop.code}\n")


def values(tmp_path: Path, names: tuple[str, ...], **environ: str) -> tuple[object, ...]:
    """What the settings say with just these variables."""
    settings = start(tmp_path, **environ).settings
    return tuple(settings[name] for name in names)


def test_production_settings_are_enough(tmp_path):
    started = start_process(tmp_path, **PRODUCTION)

    assert (started.returncode, started.stderr) == (0, "")


def test_a_developers_env_file_decides_no_test(tmp_path, monkeypatch):
    opened, read_text = [], Path.read_text
    monkeypatch.setattr(Path, "read_text", lambda path, *args: opened.append(path.name) or read_text(path, *args))

    start(tmp_path, DEBUG="1")

    assert ".env" not in opened


def test_debug_needs_nothing_else(tmp_path):
    started = start_process(tmp_path, DEBUG="1")

    assert (started.returncode, started.stderr) == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize("name", PRODUCTION)
def test_a_missing_variable_is_named(tmp_path, name):
    started = start_process(tmp_path, **{key: value for key, value in PRODUCTION.items() if key != name})

    assert started.returncode == 1
    assert started.stderr == (
        f"bookstore cannot start: {name} is not set; only DEBUG=1 gives it a default, and .env.example describes it.\n"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", "perhaps"),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "a" * 60),
        ("SECRET_KEY", "django-insecure-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGH"),
        ("SECRET_KEY", environment.DEMO_KEY),
        ("SECRET_KEY_FALLBACKS", environment.DEMO_KEY),
        ("JWT_SIGNING_KEY", environment.DEMO_SIGNING_KEY),
        ("JWT_SIGNING_KEY_PREVIOUS", environment.DEMO_SIGNING_KEY),
        ("JWT_SIGNING_KEY", "31-bytes-are-too-few-012345678"),
        ("JWT_SIGNING_KEY", PRODUCTION["SECRET_KEY"]),
        ("JWT_SIGNING_KEY_PREVIOUS", "31-bytes-are-too-few-012345678"),
        ("JWT_SIGNING_KEY_PREVIOUS", PRODUCTION["JWT_SIGNING_KEY"]),
        ("JWT_SIGNING_KEY_PREVIOUS", PRODUCTION["SECRET_KEY"]),
        ("SECRET_KEY_FALLBACKS", "short"),
        ("ALLOWED_HOSTS", ""),
        ("DATABASE_URL", "mysql://db/shop"),
        ("DATABASE_URL", "postgresql://shop:secret@db.example"),
        ("DATABASE_URL", "postgresql://shop:sec ret@db/shop"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_REPLICA_URLS", "sqlite:////tmp/shop.sqlite3"),
        ("DATABASE_REPLICA_URLS", "db2.example:5432"),
        ("DATABASE_REPLICA_URLS", "postgresql://shop:secret@db2.example/shop,mysql://db3.example/shop"),
        ("REPLICA_MAX_LAG", "0"),
        ("REPLICA_MAX_LAG", "1.5"),
        ("DB_TRANSACTION_POOLING", "perhaps"),
        ("DATABASE_DIRECT_URL", "postgresql://shop:secret@db.example/another"),
        ("DATABASE_DIRECT_URL", "postgresql://shop:secret@db.example"),
        ("DATABASE_DIRECT_URL", "sqlite:////tmp/shop.sqlite3"),
        ("ACCESS_TOKEN_MINUTES", "0"),
        ("ACCESS_TOKEN_MINUTES", "five"),
        ("REFRESH_TOKEN_DAYS", "-1"),
        ("AUTH_THROTTLE_RATE", "ten a minute"),
        ("AUTH_THROTTLE_RATE", "0/min"),
        ("AUTH_THROTTLE_RATE", "10/month"),
        ("AUTH_THROTTLE_RATE", "10/"),
        ("AUTH_THROTTLE_RATE", "10000000000/day"),
        ("REGISTER_THROTTLE_RATE", "3/dozen"),
        ("STOREFRONT_SECRET", "short"),
        ("STOREFRONT_SECRET", "0123456789\nabcdefghij"),
        ("METRICS_TOKEN", " 0123456789-abcdefghij"),
        ("METRICS_TOKEN", "0123456789-abcdefghïj"),
        ("REFRESH_GRACE_SECONDS", "-1"),
        ("REFRESH_GRACE_SECONDS", "601"),
        ("TOKEN_ISSUER", "x" * 201),
        ("TRUSTED_PROXIES", "10.0.0.1,proxy"),
        ("CORS_ALLOWED_ORIGINS", "https://*.example"),
        ("CORS_ALLOWED_ORIGINS", "https://shop.example/path"),
        ("CORS_ALLOWED_HEADERS", "X-Shop,*"),
        ("SHOP_CURRENCY", "dollars"),
        ("SHOP_CURRENCY", "XYZ"),
        ("LOG_LEVEL", "LOUD"),
        ("LOG_FORMAT", "xml"),
    ],
)
def test_a_bad_value_stops_the_start_with_one_line(tmp_path, name, value):
    started = start(tmp_path, **{**PRODUCTION, name: value})

    assert started.returncode == 1
    assert started.stderr.startswith(f"bookstore cannot start: {name} ")
    assert started.stderr.count("\n") == 1
    assert "secret@" not in started.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_REPLICA_URLS", "postgresql://shop@db2.example/shop"),
        ("DB_TRANSACTION_POOLING", "1"),
        ("DATABASE_DIRECT_URL", "postgresql://shop@db.example/shop"),
    ],
)
def test_what_sqlite_cannot_do_stops_the_start(tmp_path, name, value):
    started = start(tmp_path, **PRODUCTION | {"DATABASE_URL": "sqlite:////tmp/shop.sqlite3", name: value})

    assert started.returncode == 1
    assert started.stderr.startswith(f"bookstore cannot start: {name} is set, but DATABASE_URL names SQLite")
    assert started.stderr.count("\n") == 1


def test_a_currency_is_one_that_money_is_paid_in():
    known = {code for meant in SYMBOLS.values() for code in meant}

    assert {environment.currency(code) for code in known} == known
    for value in ("XYZ", "XXX", "XAU", "DEM", "usd", "EUR ", "", "€", "EUR\n"):
        with pytest.raises(environment.BadValue):
            environment.currency(value)


def test_options_of_the_server_do_not_go_with_a_pooler(tmp_path):
    url = "postgresql://shop:secret@db.example/shop?options=-csearch_path%3Dshop"

    alone = start(tmp_path, **PRODUCTION | {"DATABASE_URL": url})
    pooled = start(tmp_path, **PRODUCTION | {"DATABASE_URL": url, "DB_TRANSACTION_POOLING": "1"})

    assert alone.returncode == 0
    assert pooled.returncode == 1
    assert pooled.stderr == (
        "bookstore cannot start: DATABASE_URL has `options`, which PgBouncer refuses: "
        "with DB_TRANSACTION_POOLING=1 give them to the role instead.\n"
    )


def test_env_example_lists_every_variable():
    settings = (ROOT / "bookstore" / "settings.py").read_text()
    example = (ROOT / ".env.example").read_text()
    read = set(re.findall(r'read\(\s*"([A-Z_]+)"', settings))

    assert len(read) > 10
    assert [name for name in sorted(read) if f"{name}=" not in example] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [("10/min", (10, 60)), ("5/s", (5, 1)), ("100/hour", (100, 3600)), ("1/day", (1, 86400)), ("off", None)],
)
def test_a_rate_is_a_count_and_seconds(text, expected):
    assert environment.rate(text) == expected


def test_postgresql_url_may_have_several_hosts_and_libpq_options():
    database = from_url.database("postgresql://shop:p%40ss@a,b:6432/shop?target_session_attrs=read-write")

    assert database == {
        "ENGINE": "bookstore.database",
        "NAME": "shop",
        "USER": "shop",
        "PASSWORD": "p@ss",
        "HOST": "a,b",
        "PORT": ",6432",
        "OPTIONS": {
            "connect_timeout": 2,
            "tcp_user_timeout": 5000,
            "answer_timeout": 5.5,
            "keepalives_idle": 30,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "lock_timeout": 2000,
            "statement_timeout": 5000,
            "server_side_binding": True,
            "prepare_threshold": 3,
            "target_session_attrs": "read-write",
        },
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": False,
    }


def test_transaction_pooling_sets_nothing_that_outlives_one():
    database = from_url.database("postgresql://shop@pooler/shop", transaction_pooling=True)

    assert database["DISABLE_SERVER_SIDE_CURSORS"] is True
    assert database["OPTIONS"] == {
        "connect_timeout": 2,
        "tcp_user_timeout": 5000,
        "answer_timeout": 5.5,
        "keepalives_idle": 30,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "lock_timeout": 0,
        "statement_timeout": 0,
        "server_side_binding": False,
        "prepare_threshold": None,
        "options": "",
    }


def test_only_a_primary_is_written_to():
    primary = from_url.database("postgresql://shop@db/shop")
    replica = from_url.database("postgresql://shop@db2/shop", writable=False)

    assert primary["OPTIONS"]["target_session_attrs"] == "primary"
    assert "target_session_attrs" not in replica["OPTIONS"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" ,", [","]),
        ("postgresql://a/shop", ["postgresql://a/shop"]),
        ("postgresql://a/shop, postgres://b/shop", ["postgresql://a/shop", "postgres://b/shop"]),
        ("postgresql://a,b:5433/shop,postgresql://c/shop", ["postgresql://a,b:5433/shop", "postgresql://c/shop"]),
    ],
)
def test_urls_are_separated_by_commas_and_so_are_the_hosts_of_one(text, expected):
    assert from_url.urls(text) == expected


def test_sqlite_is_made_safe_for_several_processes(tmp_path):
    database = from_url.database(f"sqlite:///{tmp_path}/shop.sqlite3")

    assert database["NAME"] == f"{tmp_path}/shop.sqlite3"
    assert database["OPTIONS"] == {
        "transaction_mode": "IMMEDIATE",
        "timeout": 5,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, (31_536_000, False, False)),
        ({"HSTS_SECONDS": "0"}, (0, False, False)),
        ({"HSTS_SUBDOMAINS": "1"}, (31_536_000, True, False)),
        ({"HSTS_PRELOAD": "1"}, (31_536_000, True, True)),
        ({"DEBUG": "1"}, (0, False, False)),
    ],
)
def test_hsts_is_what_its_settings_say(tmp_path, environ, expected):
    names = ("SECURE_HSTS_SECONDS", "SECURE_HSTS_INCLUDE_SUBDOMAINS", "SECURE_HSTS_PRELOAD")

    assert values(tmp_path, names, **PRODUCTION | environ) == expected


def test_metrics_that_nobody_may_read_stop_the_start(tmp_path):
    started = start(tmp_path, **PRODUCTION, METRICS_ENABLED="1")

    assert started.returncode == 1
    assert started.stderr == (
        "bookstore cannot start: METRICS_TOKEN is not set, nor METRICS_ALLOWED: with METRICS_ENABLED=1 one of them "
        "says who reads /metrics.\n"
    )


@pytest.mark.parametrize("proxies", ["127.0.0.1", "10.0.0.0/8,127.0.0.0/8"])
def test_metrics_allowed_to_proxies_only_stop_the_start(tmp_path, proxies):
    metrics = {"METRICS_ENABLED": "1", "METRICS_ALLOWED": "127.0.0.1", "TRUSTED_PROXIES": proxies}
    started = start(tmp_path, **PRODUCTION, **metrics)

    assert started.returncode == 1
    assert started.stderr == (
        "bookstore cannot start: METRICS_ALLOWED names only addresses that TRUSTED_PROXIES names too, and through a "
        "proxy nobody reads /metrics: name others, or set METRICS_TOKEN.\n"
    )


@pytest.mark.parametrize(
    "environ",
    [
        {"METRICS_TOKEN": "scrape-0123456789-abcdef"},
        {"METRICS_ALLOWED": "127.0.0.1"},
        {"METRICS_ALLOWED": "127.0.0.1,::1", "TRUSTED_PROXIES": "127.0.0.1"},
        {"METRICS_ALLOWED": "127.0.0.1", "TRUSTED_PROXIES": "127.0.0.1", "METRICS_TOKEN": "scrape-0123456789-abcdef"},
    ],
)
def test_metrics_that_somebody_may_read_start(tmp_path, environ):
    started = start(tmp_path, **PRODUCTION, METRICS_ENABLED="1", **environ)

    assert (started.returncode, started.stderr) == (0, "")


def test_metrics_are_read_on_this_machine_with_debug_only(tmp_path):
    [production], [debug] = (
        values(tmp_path, ("METRICS_ALLOWED",), **environ) for environ in (PRODUCTION, {"DEBUG": "1"})
    )

    assert (production, debug) == ([], environment.networks(["127.0.0.1", "::1"]))


def test_hsts_for_browsers_lists_lasts_a_year(tmp_path):
    started = start(tmp_path, **PRODUCTION | {"HSTS_PRELOAD": "1", "HSTS_SECONDS": "3600"})

    assert started.stderr.startswith("bookstore cannot start: HSTS_PRELOAD is 1, but browsers only preload sites with")


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        (
            {"EMAIL_URL": "smtp://shop:s3cr3t-pa55@mail.example:port", "STOREFRONT_URL": "https://shop.example"},
            "EMAIL_URL is not a URL",
        ),
        ({"EMAIL_URL": "smtp://shop:s3cr3t-pa55@mail.example"}, "STOREFRONT_URL is not set, but EMAIL_URL is"),
        ({"STOREFRONT_VERIFY_PATH": "/verify"}, "STOREFRONT_VERIFY_PATH is wrong"),
        ({"REQUIRE_VERIFIED_EMAIL": "1"}, "REQUIRE_VERIFIED_EMAIL is 1, but EMAIL_URL is not set"),
        ({"MAIL_TEMPLATES": "/nowhere"}, "MAIL_TEMPLATES names no directory"),
    ],
)
def test_bad_settings_of_mail_stop_the_start_without_a_secret(tmp_path, variables, line):
    started = start(tmp_path, **PRODUCTION, **variables)

    assert started.returncode == 1
    assert started.stderr.startswith(f"bookstore cannot start: {line}")
    assert started.stderr.count("\n") == 1
    assert "s3cr3t" not in started.stderr


def test_mail_is_off_in_production_and_printed_with_debug(tmp_path):
    names = ("SENDS_MAIL", "EMAIL_BACKEND", "DEFAULT_FROM_EMAIL")

    assert values(tmp_path, names, **PRODUCTION) == (
        False,
        "django.core.mail.backends.dummy.EmailBackend",
        "no-reply@localhost",
    )
    assert values(tmp_path, names, DEBUG="1") == (
        True,
        "django.core.mail.backends.console.EmailBackend",
        "no-reply@127.0.0.1",
    )


def test_mail_server_becomes_djangos_settings(tmp_path):
    names = ("EMAIL_HOST", "EMAIL_PORT", "EMAIL_HOST_PASSWORD", "EMAIL_USE_TLS", "DEFAULT_FROM_EMAIL")
    mail = {"EMAIL_URL": "smtp://shop:p%40w@mail.example", "STOREFRONT_URL": "https://shop.example"}

    assert values(tmp_path, names, **PRODUCTION, **mail) == ("mail.example", 587, "p@w", True, "no-reply@shop.example")
