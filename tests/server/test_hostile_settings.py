"""Three hundred hostile settings: each stops the start with one line that names it, or the service works with it.

No start fails on requests only, and no secret is printed: not by the settings, not by `manage.py check`.
"""

import json
import random
import subprocess
import sys
from urllib.parse import quote

import pytest

from tests.server.test_settings import PRODUCTION
from tests.support.server import ROOT

SECRET = "Xy9-canary"  # is a part of every secret, and must never be printed
NUMBER = 100  # for each of three seeds
# Characters that mean something in a URL, a shell, a header, a regular expression, a log.
HOSTILE = [
    *" /?#@:%&=+,;'\"\\<>{}[]()|^`~!*$",
    "\t",
    "\n",
    "\r",
    "é",
    "猫",
    "\u2028",
    "%zz",
    "%00",
    "$(id)",
    "{0}",
    "%s",
]
URLS = ("DATABASE_URL", "DATABASE_DIRECT_URL", "DATABASE_REPLICA_URLS")
SECRETS = (
    "SECRET_KEY",
    "JWT_SIGNING_KEY",
    "SECRET_KEY_FALLBACKS",
    "JWT_SIGNING_KEY_PREVIOUS",
    "METRICS_TOKEN",
    "STOREFRONT_SECRET",
)
LISTS = (
    "ALLOWED_HOSTS",
    "CORS_ALLOWED_ORIGINS",
    "CORS_ALLOWED_HEADERS",
    "CSRF_TRUSTED_ORIGINS",
    "TRUSTED_PROXIES",
    "METRICS_ALLOWED",
)
NUMBERS = (
    "THREADS",
    "DB_CONNECT_TIMEOUT",
    "DB_STATEMENT_TIMEOUT",
    "ACCESS_TOKEN_MINUTES",
    "CART_MAX_LINES",
    "CART_DAYS",
    "HSTS_SECONDS",
)
WORDS = (
    "DEBUG",
    "METRICS_ENABLED",
    "LOG_LEVEL",
    "LOG_ADDRESS",
    "SHOP_CURRENCY",
    "AUTH_THROTTLE_RATE",
    "API_DOCS",
    "TOKEN_ISSUER",
)
OF_HOSTS = [
    "shop.example",
    "*",
    "",
    ".",
    "https://shop.example",
    "shop.example:8000",
    "[::1]",
    "10.0.0.0/8",
    "::/0",
    "null",
]
OF_NUMBERS = ["", "0", "-1", "1e3", "1_000", "٣", "999999999999999999999", "1.5", "0x10", "NaN", " 5", "5 ", "five"]
OF_WORDS = ["", "0", "1", "true", "False", "on", "INFO", "info", "10/min", "10/", "off", "USD", "usd", "EUR ", "full"]

# In one process, because a start takes a second: imports the settings anew for each environment, and asks them what a
# request would: hosts, the database's parameters, a signature, an answer.
PROGRAM = f"""
import io, json, os, sys, traceback
sys.path.insert(0, {str(ROOT)!r})
from bookstore import environment
environment.read_file = lambda path: None
kept = {{name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}}
for line in sys.stdin:
    environ = json.loads(line)
    os.environ.clear(); os.environ.update(kept); os.environ.update(environ)
    for name in [name for name in sys.modules if name == "bookstore.settings"]:
        del sys.modules[name]
    try:
        import bookstore.settings as found
        from django.http.request import validate_host
        from django.utils.log import configure_logging
        from psycopg.conninfo import make_conninfo
        validate_host("shop.example", found.ALLOWED_HOSTS)
        for database in found.DATABASES.values():
            if database["ENGINE"] == "bookstore.database":
                options = {{key: value for key, value in database["OPTIONS"].items() if key not in OURS}}
                make_conninfo(host=database["HOST"], port=database["PORT"], user=database["USER"],
                              password=database["PASSWORD"], dbname=database["NAME"], **options)
        import jwt
        jwt.encode({{"iss": found.TOKEN_ISSUERS[0]}}, found.JWT_SIGNING_KEY, "HS256")
        answer = ["starts", ""]
    except SystemExit as ended:
        answer = ["stops", str(ended.code)]
    except BaseException:
        answer = ["fails", traceback.format_exc()]
    print(json.dumps(answer), flush=True)
"""
OURS = {"lock_timeout", "statement_timeout", "answer_timeout", "server_side_binding", "prepare_threshold"}


def hostile(chance: random.Random) -> dict[str, str]:
    """One environment: that of production with one or two values of malice."""
    environ = dict(PRODUCTION)
    for name in chance.sample([*URLS, *SECRETS, *LISTS, *NUMBERS, *WORDS], chance.choice((1, 1, 2))):
        environ[name] = value_of(name, chance)
    return environ


def value_of(name: str, chance: random.Random) -> str:
    noise = "".join(chance.choices(HOSTILE, k=chance.randint(1, 3)))
    if name in URLS:
        password = SECRET[:4] + noise + SECRET[4:]
        password = quote(password, safe="") if chance.random() < 0.3 else password
        options = chance.choice(
            ["", "?pgbouncer=true", "?schema=public", "?sslmode=require", "?connect_timeout=x", f"?{noise}"]
        )
        host = chance.choice(["db.example", "db.example:5432", "db.example:port", "", "a,b:6432", "[::1]:5432", "a b"])
        return (
            chance.choice(["postgresql", "postgres", "mysql", "redis", ""]) + f"://shop:{password}@{host}/shop{options}"
        )
    if name in SECRETS:
        return (SECRET + noise) * chance.choice((1, 2, 8))
    if name in LISTS:
        return ",".join(chance.choices([*OF_HOSTS, "shop" + noise], k=chance.randint(1, 3)))
    if name in NUMBERS:
        return chance.choice([*OF_NUMBERS, noise])
    return chance.choice([*OF_WORDS, noise])


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_hostile_setting_stops_the_start_or_works_and_tells_no_secret(seed):
    chance = random.Random(seed)
    tried = [environ for environ in (hostile(chance) for _ in range(NUMBER)) if "\0" not in "".join(environ.values())]

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.replace("OURS", repr(OURS))],
        input="\n".join(map(json.dumps, tried)),
        capture_output=True,
        text=True,
        timeout=100,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]

    assert len(answers) == len(tried), done.stderr
    wrong = [
        (environ, answer)
        for environ, answer in zip(tried, answers, strict=True)
        if answer[0] == "fails" or "\n" in answer[1] or told_a_secret(environ, answer[1])
    ]
    assert wrong == []
    assert {answer[0] for answer in answers} == {"starts", "stops"}
    assert all(answer[1].startswith("bookstore cannot start: ") for answer in answers if answer[0] == "stops")


def told_a_secret(environ: dict[str, str], said: str) -> bool:
    """A part of a password or key of four letters or more."""
    return any(SECRET[at : at + 4] in said for at in range(len(SECRET) - 3)) and "canary" not in ",".join(
        environ[name] for name in LISTS if name in environ
    )
