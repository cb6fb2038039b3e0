"""compose.yaml, deploy/roles.sh and the manifests for Kubernetes, as far as they can be tried without an engine."""

import os
import re
import shutil
import subprocess
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from django.core.management import get_commands

from tests.support.installed import PASSWORD, sql
from tests.support.server import ROOT

COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
KUBECTL = shutil.which("kubectl") or ""
needs_kubectl = pytest.mark.skipif(not KUBECTL, reason="kubectl is not on PATH")


def rendered() -> list[dict]:
    done = subprocess.run([KUBECTL, "kustomize", "deploy"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def pods(document: dict) -> list[dict]:
    """The specifications of the pods that a manifest starts."""
    spec = document.get("spec", {})
    spec = spec.get("jobTemplate", {}).get("spec", spec)
    return [spec["template"]["spec"]] if "template" in spec else []


@pytest.mark.slow
@needs_kubectl
def test_the_manifests_are_what_the_schema_of_kubernetes_allows():
    validate = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed")
    documents = rendered()

    for document in documents:
        validate.validate(document, validate.latest_version(), strict=True)

    assert sorted(document["kind"] for document in documents) == [
        *("ConfigMap", "ConfigMap", "CronJob", "CronJob", "Deployment", "Job"),
        *("PersistentVolumeClaim", "PodDisruptionBudget", "Service"),
    ]


@needs_kubectl
def test_every_pod_is_no_root_reads_known_settings_and_runs_a_known_command():
    documents = rendered()
    [settings] = [each["data"] for each in documents if "DRAIN" in each.get("data", {})]
    example = (ROOT / ".env.example").read_text()
    specifications = [pod for document in documents for pod in pods(document)]

    assert len(specifications) == 4
    assert [name for name in settings if not re.search(rf"^#?{name}=", example, re.MULTILINE)] == []
    for pod in specifications:
        assert pod["securityContext"]["runAsNonRoot"] is True
        for container in pod["containers"]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert "limits" in container["resources"]
            command = container.get("command", ["sh"])
            assert command[0] == "sh" or command[2] in get_commands()


@needs_kubectl
def test_the_grace_of_the_pod_is_the_stop_timeout_of_the_server():
    documents = rendered()
    [settings] = [each["data"] for each in documents if "DRAIN" in each.get("data", {})]
    [deployment] = [each for each in documents if each["kind"] == "Deployment"]

    assert int(settings["STOP_TIMEOUT"]) == pods(deployment)[0]["terminationGracePeriodSeconds"]
    assert int(settings["DRAIN"]) + 10 <= int(settings["STOP_TIMEOUT"])


def test_every_service_of_compose_limits_its_log():
    limits = {name: service["logging"]["options"]["max-size"] for name, service in COMPOSE["services"].items()}

    assert limits == dict.fromkeys(COMPOSE["services"], "10m")


def test_only_the_migration_knows_the_owners_password():
    knows = {
        name for name, service in COMPOSE["services"].items() if "POSTGRES_PASSWORD" in str(service.get("environment"))
    }

    assert knows == {"roles", "migrate", "backup", "database"}
    assert "bookstore_app" in COMPOSE["services"]["app"]["environment"]["DATABASE_URL"]


def test_nginx_of_compose_asks_the_resolver_again(tmp_path):
    command = COMPOSE["services"]["nginx"]["command"]
    here = command[2].partition(" && exec")[0]
    here = here.replace("/etc/bookstore/nginx.conf", str(ROOT / "deploy" / "nginx.conf"))
    here = here.replace("/etc/nginx/conf.d/default.conf", str(tmp_path / "default.conf"))

    subprocess.run(["/bin/sh", "-ec", here], check=True)

    text = (tmp_path / "default.conf").read_text()
    assert "zone bookstore 64k; resolver 127.0.0.11 valid=5s; server app:8000 resolve;" in text
    assert text.count("server app:8000") == 1


def test_the_loops_of_compose_run_their_command_at_once(tmp_path):
    for name, program in (("cleanup", "python manage.py clean_up"), ("backup", "/backup.sh /backups")):
        command = COMPOSE["services"][name]["command"]
        assert program in command[2]
        loop = command[2].replace(program, "echo once").replace("sleep 86400", "exit 7")

        done = subprocess.run([*command[:2], loop], capture_output=True, text=True)

        assert (done.stdout, done.returncode) == ("once\n", 7)


@pytest.mark.postgres
@pytest.mark.own_session
@pytest.mark.django_db
def test_roles_makes_the_role_that_serves_and_may_run_again(shop):
    name, superuser, of_superuser = f"{shop.name}_new", shop.superuser, urlsplit(shop.superuser)
    sql(superuser, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    sql(superuser, f"CREATE DATABASE {name}")
    url = superuser.rpartition("/")[0] + f"/{name}"
    sql(url, "CREATE TABLE from_before (id int GENERATED BY DEFAULT AS IDENTITY)")
    script = (ROOT / "deploy" / "roles.sh").read_text()
    script = re.sub("bookstore(?=_app|_check)", shop.name, script)
    environment = {
        **shop.libpq("owner"),
        **{"PATH": os.environ["PATH"], "PGDATABASE": name, "APP_PASSWORD": PASSWORD},
        **{"PGUSER": unquote(of_superuser.username or ""), "PGPASSWORD": unquote(of_superuser.password or "")},
    }

    for _ in range(2):
        done = subprocess.run(["/bin/sh", "-c", script], env=environment, capture_output=True, text=True)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    sql(url, "CREATE TABLE made_later (id int GENERATED BY DEFAULT AS IDENTITY)")
    for table in ("from_before", "made_later"):
        added = sql(shop.url("app", name), f"INSERT INTO {table} DEFAULT VALUES RETURNING id")  # noqa: S608  # two names
        assert added == "1"
    with pytest.raises(AssertionError, match="must be owner"):
        sql(shop.url("app", name), "DROP TABLE from_before")
