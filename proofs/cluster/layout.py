"""The layout of the cluster (hosts, addresses, ports), and the filled-in configuration files of deploy/."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from proofs.cluster.hosts import Ground

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"

DATABASES = ("db1", "db2", "db3")
APPLICATIONS = ("app1", "app2")
PROXIES = ("proxy1", "proxy2")
HOSTS = ("etcd", *DATABASES, *PROXIES, *APPLICATIONS, "edge")
DATABASE = "bookstore"

# Those of `manage.py load_demo`, which is Django's and cannot be imported here.
READER = ("reader@example.com", "demo-reader-shelf")
STAFF = ("staff@example.com", "demo-staff-shelf")

# The port that each part has on a machine of its own.
USUAL_PORTS = {
    "etcd": 2379,
    "peer": 2380,
    "postgres": 5432,
    "patroni": 8008,
    "primary": 5000,
    "replicas": 5001,
    "application": 8080,
    "pgbouncer": 6432,
    "app": 8000,
    "nginx": 8000,
}


@dataclass
class Layout:
    ground: Ground
    folder: Path
    bin: Path
    addresses: dict[str, str] = field(default_factory=dict)
    ports: dict[tuple[str, str], int] = field(default_factory=dict)  # by host and part
    passwords: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("superuser", "replication", "rewind", "application"):
            self.passwords[name] = secrets.token_urlsafe(16)

    def add(self, host: str) -> None:
        self.addresses[host] = self.ground.add(host)

    def port(self, host: str, part: str) -> int:
        if (host, part) not in self.ports:
            self.ports[host, part] = self.ground.port(USUAL_PORTS[part])
        return self.ports[host, part]

    def at(self, host: str, part: str) -> str:
        return f"{self.addresses[host]}:{self.port(host, part)}"

    def all_proxies(self, part: str) -> str:
        """For libpq, which tries one after the other."""
        return ",".join(self.at(proxy, part) for proxy in PROXIES)

    @property
    def base(self) -> str:
        """What clients call."""
        return f"http://{self.at('edge', 'nginx')}"

    def home(self, host: str) -> Path:
        return self.folder / host

    # --- the files of deploy/ ---

    def patroni(self, host: str) -> str:
        return fill(
            "cluster/patroni.yml",
            name=host,
            address=self.addresses[host],
            port=self.port(host, "postgres"),
            api_port=self.port(host, "patroni"),
            etcd=self.at("etcd", "etcd"),
            network=self.ground.network,
            folder=self.home(host),
            bin=self.bin,
            **{f"{name}_password": self.passwords[name] for name in ("superuser", "replication", "rewind")},
        )

    def haproxy(self, host: str) -> str:
        databases = "\n".join(
            f"    server {name} {self.at(name, 'postgres')} check port {self.port(name, 'patroni')}"
            for name in DATABASES
        )
        return fill(
            "cluster/haproxy.cfg",
            folder=self.home(host),
            away=DEPLOY / "cluster" / "away.http",
            address=self.addresses[host],
            host=self.addresses["edge"],
            primary_port=self.port(host, "primary"),
            replica_port=self.port(host, "replicas"),
            application_port=self.port(host, "application"),
            primaries=databases,
            replicas=databases,
            applications="\n".join(f"    server {name} {self.at(name, 'app')} check" for name in APPLICATIONS),
            applications_anyway="\n".join(
                f"    server {name}-anyway {self.at(name, 'app')} backup" for name in APPLICATIONS
            ),
        )

    def pgbouncer(self, host: str) -> str:
        """It knows both HAProxies, and turns from one to the other; on ports, which differ, only its own."""
        mine = PROXIES[APPLICATIONS.index(host)]
        known = PROXIES if self.ground.separate else [mine]
        return fill(
            "cluster/pgbouncer.ini",
            proxies=",".join(self.addresses[proxy] for proxy in known),
            primary_port=self.port(mine, "primary"),
            address=self.addresses[host],
            port=self.port(host, "pgbouncer"),
            folder=self.home(host),
        )

    def users_of_pgbouncer(self) -> str:
        return f'"{DATABASE}" "{self.passwords["application"]}"\n'

    def nginx(self) -> str:
        """deploy/nginx.conf as it is, with its upstream and its port put in, inside what a package's nginx.conf has."""
        home = self.home("edge")
        server = (DEPLOY / "nginx.conf").read_text()
        for usual, ours in (
            ("server app:8000;", self.upstream()),
            ("listen 80;\n", f"listen {self.at('edge', 'nginx')};\n"),
        ):
            if usual not in server:
                raise ValueError(f"deploy/nginx.conf has no {usual!r} any more: adapt proofs/cluster/layout.py")
            server = server.replace(usual, ours, 1)
        (home / "bookstore.conf").write_text(server)
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        paths = "".join(f"    {kind}_temp_path {home}/{kind};\n" for kind in kinds)
        return (
            f"daemon off;\nworker_processes 1;\npid {home}/nginx.pid;\nevents {{}}\n"
            f"http {{\n    access_log off;\n{paths}    include {home}/bookstore.conf;\n}}\n"
        )

    def upstream(self) -> str:
        """Both HAProxies. One that fails is left alone for a second, not for nginx's ten: for as long nobody is served
        when a slow answer has made both of them look so."""
        facts = "max_fails=2 fail_timeout=1s"
        return " ".join(f"server {self.at(proxy, 'application')} {facts};" for proxy in PROXIES)

    # --- the application ---

    def database_url(self, address: str) -> str:
        return f"postgresql://{DATABASE}:{self.passwords['application']}@{address}/{DATABASE}"

    def application(self, host: str, secret: Mapping[str, str]) -> dict[str, str]:
        """The environment that `manage.py` has on this host."""
        return {
            **secret,
            "DATABASE_URL": self.database_url(self.at(host, "pgbouncer")),
            "DB_TRANSACTION_POOLING": "1",
            "DATABASE_DIRECT_URL": self.database_url(self.all_proxies("primary")),
            "DATABASE_REPLICA_URLS": ",".join(self.database_url(self.at(proxy, "replicas")) for proxy in PROXIES),
            "HOST": self.addresses[host],
            "PORT": str(self.port(host, "app")),
            "WORKERS": "2",
            # A commit waits for a second host: while one does, others are served. And a leader that is cut off holds
            # up whoever writes, but not whoever looks through the catalogue.
            "THREADS": "4",
            "DRAIN": "4",
            "ALLOWED_HOSTS": self.addresses["edge"],
            # nginx tells the client's address; a HAProxy between them hands it on.
            "TRUSTED_PROXIES": ",".join(sorted({self.addresses[proxy] for proxy in PROXIES})),
            "LOG_LEVEL": "WARNING",
            # The traffic of one machine comes from one address.
            "AUTH_THROTTLE_RATE": "100000/min",
            "ACCESS_TOKEN_MINUTES": "600",
        }


def fill(template: str, **values: object) -> str:
    """One file of deploy/ with every ${word} put in; KeyError for one that has no value."""
    return Template((DEPLOY / template).read_text()).substitute({name: str(value) for name, value in values.items()})
