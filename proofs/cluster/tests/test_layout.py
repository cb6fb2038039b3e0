"""The configuration files of deploy/, filled in for a cluster."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from proofs.cluster import hosts
from proofs.cluster.layout import APPLICATIONS, DATABASES, HOSTS, PROXIES, READER, ROOT, STAFF, Layout, fill


class Addresses:
    """Ground on which every host has an address, and nothing is made."""

    separate = True
    network = "10.213.97.0/24"

    def __init__(self):
        self.given = 0

    def add(self, name):
        self.given += 1
        return f"10.213.97.{self.given}"

    def port(self, usual):
        return usual


@pytest.fixture(params=[Addresses, hosts.Ports])
def layout(request, tmp_path):
    layout = Layout(request.param(), tmp_path, Path("/usr/lib/postgresql/15/bin"))
    for host in HOSTS:
        layout.add(host)
        layout.home(host).mkdir()
    return layout


def test_every_part_has_a_place_of_its_own(layout):
    parts = [
        *(layout.at(host, part) for host in DATABASES for part in ("postgres", "patroni")),
        *(layout.at(proxy, part) for proxy in PROXIES for part in ("primary", "replicas", "application")),
        *(layout.at(host, part) for host in APPLICATIONS for part in ("pgbouncer", "app")),
        *(layout.at("etcd", part) for part in ("etcd", "peer")),
        layout.at("edge", "nginx"),
    ]

    assert len(set(parts)) == len(parts) == 19


def test_a_word_without_a_value_stops_the_start():
    with pytest.raises(KeyError, match="proxies"):
        fill("cluster/pgbouncer.ini", primary_port=5000, address="::1", port=6432, folder="here")


def test_patroni_has_the_times_that_failover_is_promised_by(layout):
    configuration = yaml.safe_load(layout.patroni("db2"))

    shared = configuration["bootstrap"]["dcs"]
    assert configuration["name"] == "db2"
    assert configuration["postgresql"]["connect_address"] == layout.at("db2", "postgres")
    assert shared["synchronous_mode"] is True
    assert shared["postgresql"]["use_pg_rewind"] is True
    # Patroni's own rule: a leader must have time to fail twice before its key is gone.
    assert shared["loop_wait"] + 2 * shared["retry_timeout"] <= shared["ttl"] == 20


def test_haproxy_checks_patroni_for_databases_and_ready_for_apps(layout):
    text = layout.haproxy("proxy2")

    servers = re.findall(r"^    server (\S+) (\S+) (.*)$", text, flags=re.MULTILINE)
    ports = {host: layout.port(host, "patroni") for host in DATABASES}
    databases = [(host, layout.at(host, "postgres"), f"check port {ports[host]}") for host in DATABASES]
    assert servers == [
        *databases,
        *databases,
        *((host, layout.at(host, "app"), "check") for host in APPLICATIONS),
        *((f"{host}-anyway", layout.at(host, "app"), "backup") for host in APPLICATIONS),
    ]
    assert "$" not in text


def test_haproxy_finds_its_configuration_right(layout):
    program = shutil.which("haproxy", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    if not program:
        pytest.skip("haproxy is not installed (Debian package haproxy): its configuration is not checked by it")
    path = layout.home("proxy1") / "haproxy.cfg"
    path.write_text(layout.haproxy("proxy1"))

    checked = subprocess.run([program, "-c", "-f", str(path)], capture_output=True, text=True)

    assert (checked.returncode, checked.stderr) == (0, "")


def test_what_haproxy_says_itself_is_the_envelope():
    head, _, body = (ROOT / "deploy" / "cluster" / "away.http").read_bytes().partition(b"\r\n\r\n")

    assert head.split(b"\r\n") == [
        b"HTTP/1.1 503 Service Unavailable",
        b"Content-Type: application/json",
        b"Cache-Control: no-store",
        b"Retry-After: 1",
        b"Content-Length: %d" % len(body),
    ]
    assert yaml.safe_load(body) == {
        "detail": "The service does not answer; try again shortly.",
        "code": "SERVICE_UNAVAILABLE",
    }


def test_pgbouncer_pools_transactions_and_bounds_the_wait(layout):
    parsed = configparser.ConfigParser()
    parsed.read_string(layout.pgbouncer("app1"))

    pooler = parsed["pgbouncer"]
    assert pooler["pool_mode"] == "transaction"
    assert f"{pooler['listen_addr']}:{pooler['listen_port']}" == layout.at("app1", "pgbouncer")
    assert float(pooler["query_wait_timeout"]) <= 5
    assert f"port={layout.port('proxy1', 'primary')}" in parsed["databases"]["bookstore"]


def test_nginx_is_that_of_deploy_with_both_proxies_behind_it(layout):
    layout.nginx()

    text = (layout.home("edge") / "bookstore.conf").read_text()
    assert [line for line in (ROOT / "deploy" / "nginx.conf").read_text().splitlines() if line not in text] == [
        "    server app:8000;",
        "    listen 80;",
    ]
    assert all(f"server {layout.at(proxy, 'application')} max_fails=2" in text for proxy in PROXIES)


def test_the_application_has_only_variables_that_are_documented(layout):
    example = (ROOT / ".env.example").read_text()

    given = layout.application("app2", {"SECRET_KEY": "…", "JWT_SIGNING_KEY": "…"})

    assert set(given) <= set(re.findall(r"^#?([A-Z_]+)=", example, flags=re.MULTILINE))
    assert given["DATABASE_URL"].endswith(f"@{layout.at('app2', 'pgbouncer')}/bookstore")


def test_the_accounts_of_the_demo_are_those_that_are_told():
    from catalog.management.commands import load_demo

    assert (READER, STAFF) == (load_demo.READER, load_demo.STAFF)
