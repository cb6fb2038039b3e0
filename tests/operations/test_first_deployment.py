"""docs/running.md, "First deployment": its settings, its commands, the unit's command, nginx with TLS."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from tests.support.documented import blocks_of
from tests.support.installed import KEYS
from tests.support.server import ROOT
from tools.nginx import CACHE, find_nginx
from tools.processes import free_port

pytestmark = [pytest.mark.postgres, pytest.mark.own_session, pytest.mark.django_db, pytest.mark.slow]

SECTION = "First deployment"
PROGRAM = "/srv/bookstore/.venv/bin/python"


def of_systemd(text: str) -> dict[str, str]:
    """An EnvironmentFile as systemd reads it: a comment behind a value is a part of the value."""
    lines = [line.strip() for line in text.splitlines()]
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith(("#", ";")))


@pytest.fixture
def environment(shop) -> dict[str, str]:
    """The page's settings, for this database."""
    [text] = [block for block in blocks_of(ROOT, SECTION, "sh") if "SECRET_KEY=" in block]
    settings = of_systemd(text)
    for name, value in KEYS.items():
        settings[name] = settings[name].replace("…", value)
    for name, role in (("DATABASE_URL", "app"), ("DATABASE_DIRECT_URL", "owner")):
        assert f"bookstore_{role}:…@127.0.0.1:5432/bookstore" in settings[name]
        settings[name] = shop.url(role)
    return {"PATH": os.environ["PATH"]} | settings


@contextmanager
def running(command: list[str], environment: dict[str, str]):
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


def curl(*arguments: str) -> str:
    done = subprocess.run(["curl", "--silent", "--show-error", *arguments], capture_output=True, text=True)  # noqa: S607
    return done.stdout + done.stderr


def wait_for(answer, *arguments: str) -> str:
    deadline = time.monotonic() + 30
    while (said := curl(*arguments)) != answer and time.monotonic() < deadline:
        time.sleep(0.2)
    return said


def test_the_settings_are_read_alike_by_systemd_and_a_shell():
    for section, name in ((SECTION, "SECRET_KEY="), ("Backup and restore", "PGUSER=")):
        [text] = [block for block in blocks_of(ROOT, section, "sh") if name in block]
        by_shell = dict(word.split("=", 1) for line in text.splitlines() for word in shlex.split(line, comments=True))

        assert of_systemd(text) == by_shell


def test_the_page_leads_to_a_shop_behind_nginx_with_tls(environment, tmp_path):
    nginx = find_nginx()
    if not nginx or not shutil.which("openssl") or not shutil.which("curl"):
        pytest.skip("nginx, openssl and curl are not all here")
    blocks = blocks_of(ROOT, SECTION, "sh")
    port, tls = str(free_port()), str(free_port())
    environment |= {"PORT": port, "WORKERS": "1", "DJANGO_SUPERUSER_PASSWORD": "correct horse battery"}

    # Step 4.
    [commands] = [block for block in blocks if "createsuperuser" in block]
    script = commands.replace(".venv/bin/python", sys.executable).replace(
        "olga@example.com", "olga@example.com --no-input"
    )
    prepared = subprocess.run(["/bin/sh", "-ec", script], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert prepared.returncode == 0, prepared.stdout + prepared.stderr

    # Step 5: the unit's command.
    unit = (ROOT / "deploy" / "bookstore.service").read_text()
    [command] = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    with running(shlex.split(command.replace(PROGRAM, sys.executable)), environment):
        ready = ("-o", "/dev/null", "-w", "%{http_code}", "-H", "Host: books.example.com")
        assert wait_for("200", *ready, f"http://127.0.0.1:{port}/ready") == "200"

        # Step 6, with a certificate for the name.
        subject = ["-subj", "/CN=books.example.com", "-addext", "subjectAltName=DNS:books.example.com"]
        keys = ["-keyout", f"{tmp_path}/key.pem", "-out", f"{tmp_path}/chain.pem"]
        made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *subject, *keys]
        subprocess.run(made, check=True, capture_output=True)
        [step] = [block for block in blocks if "deploy/nginx.conf" in block]
        here = (
            step.partition("nginx -t")[0]
            .replace("/etc/nginx/conf.d", str(tmp_path))
            .replace("/etc/ssl/bookstore", str(tmp_path))
        )
        here = here.replace("127.0.0.1:8000", f"127.0.0.1:{port}").replace("listen 443", f"listen 127.0.0.1:{tls}")
        subprocess.run(["/bin/sh", "-ec", here], cwd=ROOT, check=True)
        written = tmp_path / "bookstore.conf"
        written.write_text(written.read_text().replace(CACHE, f"{tmp_path}/cache"))
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        paths = "".join(f"{kind}_temp_path {tmp_path}/{kind};" for kind in kinds)
        user = "user root;" if os.geteuid() == 0 else ""
        main = (
            f"{user} daemon off; pid {tmp_path}/pid; events {{}} http {{ access_log off; {paths} include {written}; }}"
        )
        (tmp_path / "nginx.conf").write_text(main)
        start = [nginx, "-p", str(tmp_path), "-c", f"{tmp_path}/nginx.conf", "-e", f"{tmp_path}/errors"]
        tested = subprocess.run([*start, "-t"], capture_output=True, text=True)
        assert tested.returncode == 0, tested.stderr
        with running(start, {"PATH": os.environ["PATH"]}):
            # Step 7.
            trusted = ("--cacert", f"{tmp_path}/chain.pem", "--resolve", f"books.example.com:{tls}:127.0.0.1")
            url = f"https://books.example.com:{tls}"
            status = (*trusted, "-o", "/dev/null", "-w", "%{http_code}")
            seen = {
                path: wait_for("200", *status, url + path) for path in ("/ready", "/docs", "/admin/login/", "/books")
            }
            headers = curl(*trusted, "-o", "/dev/null", "-D", "-", f"{url}/admin/login/").lower()

    assert seen == dict.fromkeys(seen, "200")
    assert "strict-transport-security: max-age=31536000" in headers
    assert re.search(r"set-cookie: csrftoken=[^\n]*; secure", headers)
