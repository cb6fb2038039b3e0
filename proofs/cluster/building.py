"""Creates, fills, inspects and removes a cluster."""

import fcntl
import json
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from proofs.cluster import hosts, needs
from proofs.cluster.layout import APPLICATIONS, DATABASE, DATABASES, HOSTS, PROXIES, ROOT, Layout
from proofs.cluster.parts import Part, PartFailed
from tests.support.processes import below, processes
from tools.processes import uninterrupted

START_SECONDS = 60.0


class AlreadyRunning(Exception):
    """Another cluster runs on this machine. The message says where."""


def folder_of_cluster() -> Path:
    """One for each user of the machine: PostgreSQL, which does not run as root, must reach it."""
    return Path("/tmp") / f"bookstore-cluster-{os.getuid()}"  # noqa: S108  # its owner is looked at


@contextmanager
def claimed(folder: Path) -> Iterator[Path]:
    """The empty folder of the cluster, locked. Removes files and processes of a killed run, before and after."""
    folder.mkdir(mode=0o755, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise AlreadyRunning(f"{folder} is somebody else's: remove it")
    lock: TextIO
    with (folder / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise AlreadyRunning(f"another cluster is up, in {folder}: end that one first") from error
        sweep(folder)
        try:
            yield folder
        finally:
            with uninterrupted():
                sweep(folder)
                shutil.rmtree(folder, ignore_errors=True)


def sweep(folder: Path) -> None:
    """Kills the processes of a cluster in this folder, removes its hosts, and deletes all files but the lock."""
    if needs.can_have_a_network():
        hosts.remove_network()
    listed = processes()
    started = [int(text) for file in folder.glob("*/*.process") if (text := file.read_text()).isdigit()]
    # A number in a file may be another program's by now.
    ours = [pid for pid in started if pid in listed and "bookstore.wsgi" in listed[pid][1]]
    hosts.kill(lambda: below([*ours, *hosts.working_in(folder)], processes()))
    for path in folder.iterdir():
        if path.name != "lock":
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


class Cluster:
    """`start()` starts every part; `claimed()` around it removes everything."""

    def __init__(
        self, folder: Path, programs: needs.Programs, ground: hosts.Ground, *, synchronous: bool = True
    ) -> None:
        self.programs, self.ground, self.synchronous = programs, ground, synchronous
        self.layout = Layout(ground, folder, programs.postgres)
        self.parts: dict[tuple[str, str], Part] = {}  # by host and name
        self.secret = {"SECRET_KEY": secrets.token_urlsafe(50), "JWT_SIGNING_KEY": secrets.token_urlsafe(50)}
        # PostgreSQL and PgBouncer refuse to run as root.
        self.user = pwd.getpwnam(next(unprivileged())) if os.geteuid() == 0 else None

    # --- making it ---

    def lay_out(self) -> None:
        for host in HOSTS:
            self.layout.add(host)
            home = self.layout.home(host)
            home.mkdir(mode=0o755)
            if self.user and host != "edge":
                os.chown(home, self.user.pw_uid, self.user.pw_gid)

    def start(self, say: Any = print) -> None:
        """Raises PartFailed, NetworkError. `say` gets one line for each step."""
        self.lay_out()
        self._start_etcd()
        for host in DATABASES:
            self._start_patroni(host)
        self._start_proxies()
        for host in DATABASES:
            self.part(host, "patroni").wait(START_SECONDS)
        self.wait_until_whole()
        say("PostgreSQL leads and is followed")
        self._create_database()
        for host in APPLICATIONS:
            self._start_pgbouncer(host)
        self.manage("migrate", "--verbosity", "0")
        for command in ("load_demo", "load_demo_carts"):
            self.manage(command, DEBUG="1")
        say("the demo shop is in it")
        for host in APPLICATIONS:
            self.application(host)
        for host in APPLICATIONS:
            self.part(host, "app").wait(START_SECONDS)
        self.part("edge", "nginx").wait(START_SECONDS)

    def part(self, host: str, name: str) -> Part:
        return self.parts[host, name]

    def _add(
        self, host: str, name: str, command: list[str], ready: Callable[[], bool], *, demote: bool = False, **more: Any
    ) -> Part:
        """Starts a part. `demote`: root runs it as somebody else."""
        command = self._demoted(command) if demote else command
        part = Part(name, host, self.ground.command(host, command), self.layout.home(host), ready, **more)
        self.parts[host, name] = part
        part.start()
        return part

    def _demoted(self, command: list[str]) -> list[str]:
        """Only root can go into a host: the user changes there."""
        if not self.user:
            return command
        uid, gid = str(self.user.pw_uid), str(self.user.pw_gid)
        return ["setpriv", "--reuid", uid, "--regid", gid, "--clear-groups", *command]

    def _write(self, host: str, name: str, text: str) -> Path:
        path = self.layout.home(host) / name
        path.write_text(text)
        path.chmod(0o600)
        if self.user and host != "edge":
            os.chown(path, self.user.pw_uid, self.user.pw_gid)
        return path

    def _start_etcd(self) -> None:
        at, peer = (f"http://{self.layout.at('etcd', part)}" for part in ("etcd", "peer"))
        command = [
            *(self.programs["etcd"], "--name", "etcd", "--data-dir", str(self.layout.home("etcd") / "data")),
            *("--listen-client-urls", at, "--advertise-client-urls", at, "--listen-peer-urls", peer),
            *("--initial-advertise-peer-urls", peer, "--initial-cluster", f"etcd={peer}", "--log-level", "warn"),
        ]
        self._add("etcd", "etcd", command, lambda: fetch(f"{at}/health")[0] == 200, demote=True).wait(START_SECONDS)

    def _start_patroni(self, host: str) -> None:
        text = self.layout.patroni(host)
        if not self.synchronous:
            text = text.replace("synchronous_mode: true", "synchronous_mode: false")
        configuration = self._write(host, "patroni.yml", text)
        api = f"http://{self.layout.at(host, 'patroni')}"
        command = [self.programs["patroni"], str(configuration)]
        self._add(host, "patroni", command, lambda: fetch(f"{api}/health")[0] == 200, demote=True)

    def _start_proxies(self) -> None:
        layout = self.layout
        for host in PROXIES:
            configuration = self._write(host, "haproxy.cfg", layout.haproxy(host))
            at = layout.addresses[host], layout.port(host, "application")
            command = [self.programs["haproxy"], "-db", "-f", str(configuration)]
            self._add(host, "haproxy", command, partial(listens, at)).wait(START_SECONDS)
        configuration = self._write("edge", "nginx.conf", layout.nginx())
        command = [self.programs["nginx"], "-p", str(layout.home("edge")), "-c", str(configuration), "-e", "stderr"]
        self._add("edge", "nginx", command, lambda: fetch(f"{layout.base}/ready")[0] == 200)

    def _start_pgbouncer(self, host: str) -> None:
        self._write(host, "userlist.txt", self.layout.users_of_pgbouncer())
        configuration = self._write(host, "pgbouncer.ini", self.layout.pgbouncer(host))
        command = [self.programs["pgbouncer"], str(configuration)]
        at = self.layout.addresses[host], self.layout.port(host, "pgbouncer")
        self._add(host, "pgbouncer", command, lambda: listens(at), demote=True).wait(START_SECONDS)

    def application(self, host: str, root: Path = ROOT) -> Part:
        """Starts the application on this host, which must not be running there; does not wait."""
        at = f"http://{self.layout.at(host, 'app')}"
        ready = lambda: fetch(f"{at}/ready", self.layout.addresses["edge"])[0] == 200  # noqa: E731  # one expression, passed on below
        return self._add(
            *(host, "app", [sys.executable, "manage.py", "serve"], ready),
            environment=self.layout.application(host, self.secret),
            cwd=root,
        )

    def manage(self, *command: str, root: Path = ROOT, **environment: str) -> str:
        """One manage.py command, on the first host of the application. Raises PartFailed."""
        host = APPLICATIONS[0]
        done = subprocess.run(
            self.ground.command(host, [sys.executable, "manage.py", *command]),
            cwd=root,
            env={"PATH": os.environ["PATH"], **self.layout.application(host, self.secret), **environment},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise PartFailed(f"manage.py {command[0]} failed: {done.stderr.strip()[-1000:]}")
        return done.stdout

    def _create_database(self) -> None:
        import psycopg
        from psycopg import sql

        with psycopg.connect(self.superuser_url(self.leader()), autocommit=True) as connection:
            password = sql.Literal(self.layout.passwords["application"])
            name = sql.Identifier(DATABASE)
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(name, password))
            # A pooler of transactions keeps no timeouts of a session: the role has them.
            for setting, value in (("statement_timeout", "5s"), ("lock_timeout", "2s")):
                alter = sql.SQL("ALTER ROLE {} SET {} = {}")
                connection.execute(alter.format(name, sql.Identifier(setting), sql.Literal(value)))
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, name))

    # --- looking at it ---

    def superuser_url(self, host: str) -> str:
        return f"postgresql://postgres:{self.layout.passwords['superuser']}@{self.layout.at(host, 'postgres')}/postgres"

    def members(self) -> dict[str, dict[str, Any]]:
        """What Patroni says of each PostgreSQL, asked of the first that answers; empty when none does."""
        for host in DATABASES:
            status, body = fetch(f"http://{self.layout.at(host, 'patroni')}/cluster")
            if status == 200:
                return {member["name"]: member for member in body["members"]}
        return {}

    def leader(self) -> str:
        """Raises PartFailed when there is none."""
        for host in DATABASES:
            if fetch(f"http://{self.layout.at(host, 'patroni')}/primary")[0] == 200:
                return host
        raise PartFailed("no PostgreSQL leads")

    def is_whole(self) -> bool:
        """One leads, the others stream from it, and one of those is synchronous."""
        roles = sorted(
            f"{member['role']} {member['state']}".replace("streaming", "running") for member in self.members().values()
        )
        follower = "sync_standby" if self.synchronous else "replica"
        return roles == ["leader running", "replica running", f"{follower} running"] and all(
            member.get("lag", 0) == 0 for member in self.members().values()
        )

    def wait_until_whole(self, seconds: float = START_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not self.is_whole():
            if time.monotonic() > deadline:
                raise PartFailed(f"PostgreSQL is not whole after {seconds:g} s: {self.members()}")
            time.sleep(0.3)

    def is_up(self, proxy: str, backend: str, server: str) -> bool:
        """Whether this HAProxy sends anything to this server."""
        with socket.socket(socket.AF_UNIX) as admin:
            admin.connect(str(self.layout.home(proxy) / "haproxy.sock"))
            admin.sendall(b"show stat\n")
            rows = admin.makefile().read().splitlines()
        names = rows[0].removeprefix("# ").split(",")
        facts = [dict(zip(names, row.split(","), strict=False)) for row in rows[1:] if row]
        return any(f["pxname"] == backend and f["svname"] == server and f["status"].startswith("UP") for f in facts)

    def patronictl(self, *command: str) -> str:
        host = next(host for host in DATABASES if self.part(host, "patroni").alive())
        configuration = str(self.layout.home(host) / "patroni.yml")
        done = subprocess.run(
            self.ground.command(host, [self.programs["patronictl"], "-c", configuration, *command]),
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8"},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise PartFailed(f"patronictl {command[0]} failed: {(done.stderr or done.stdout).strip()[-500:]}")
        return done.stdout


def unprivileged() -> Iterator[str]:
    for name in ("postgres", "nobody", "daemon"):
        with suppress(KeyError):
            if pwd.getpwnam(name).pw_uid:
                yield name


def fetch(url: str, host: str = "") -> tuple[int, Any]:
    """Status and JSON of a GET; status 0 when no answer came within two seconds."""
    request = urllib.request.Request(url, headers={"Host": host} if host else {})  # noqa: S310  # http only
    try:
        with urllib.request.urlopen(request, timeout=2) as response:  # noqa: S310  # http only
            return response.status, json.loads(response.read() or "null")
    except urllib.error.HTTPError as error:
        return error.code, None
    except (OSError, ValueError):
        return 0, None


def listens(at: tuple[str, int]) -> bool:
    try:
        socket.create_connection(at, timeout=1).close()
    except OSError:
        return False
    return True
