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
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml
from django.apps import apps
from django.core.management import get_commands, load_command_class
from django.db import connection

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
    assert services()["migrate"]["environment"].keys() == {*app, "DATABASE_DIRECT_URL"}
    of_compose = {"POSTGRES_PASSWORD", "APP_PASSWORD", "PORT", "STOP_TIMEOUT"}
    assert set(re.findall(r"\$\{([A-Z_]+)", COMPOSE)) == of_compose <= documented()


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
        parser = load_command_class(get_commands()[command[2]], command[2]).create_parser("manage.py", command[2])
        assert command[:2] == ["python", "manage.py"]
        assert all(option in parser.format_help() for option in command[3:] if option.startswith("--"))


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
    commands = re.findall(r"^Exec(?:Start|Reload)=(.*)$", (ROOT / "deploy" / unit).read_text(), re.MULTILINE)

    assert commands
    for program, *arguments in map(shlex.split, commands):
        if program.startswith("/srv/bookstore/deploy/"):
            assert os.access(ROOT / program.removeprefix("/srv/bookstore/"), os.X_OK)
        elif program != "/bin/kill":
            assert (program, arguments[0]) == ("/srv/bookstore/.venv/bin/python", "manage.py")
            assert list(ROOT.glob(f"[a-z]*/**/management/commands/{arguments[1]}.py"))


def test_operators_chapter_names_known_variables_and_files():
    chapter = (ROOT / "docs" / "running.md").read_text()
    named = set(re.findall(r"`([A-Z]{2,}(?:_[A-Z]+)+)(?:=[^`]*)?`", chapter))

    assert {"DATABASE_URL", "METRICS_TOKEN", "JWT_SIGNING_KEY_PREVIOUS"} <= named
    # deploy/backup.sh and the shell read these, and glibc the last.
    of_others = {"NEW_DATABASE_URL", "KEEP_DAYS", "CHECK_DATABASE", "MALLOC_ARENA_MAX"}
    assert named - documented() - of_others == set()
    assert all((ROOT / "docs" / target).exists() for target in re.findall(r"\]\((\.\./[^)]*)\)", chapter))


def test_the_operators_chapter_names_every_metric():
    chapter = (ROOT / "docs" / "running.md").read_text()
    code = "".join(path.read_text() for path in ROOT.glob("[a-z]*/**/metrics*.py") if "tests" not in path.parts)
    defined = re.findall(r'(Counter|Histogram|Gauge|count_\w+)\(\s*"(bookstore_[a-z_]+)"', code)
    defined = [(kind, name) for kind, name in defined if "wishes" not in name]

    assert len(defined) > 15
    for kind, name in defined:
        assert f"`{name}{'_total' if kind == 'Counter' or kind.startswith('count_') else ''}`" in chapter, name
