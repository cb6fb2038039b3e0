"""The plain variant is a fair opponent: it answers what the project answers, and both obey the same rules."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rest_framework.test import APIClient

from bookstore.accounts.tests.factories import UserFactory
from catalog.tests.factories import BookFactory
from proofs.benchmarks.tests.scenario import BOOKS, STEPS, id_of, play

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def answers_of_plain(tmp_path):
    environ = {
        **os.environ,
        "SECRET_KEY": "a-key-of-the-plain-variant-that-signs-nothing-else",
        "JWT_SIGNING_KEY": "another-key-of-the-plain-variant-0123456789",
        "DATABASE_URL": f"sqlite:///{tmp_path}/plain.sqlite3",
    }
    played = subprocess.run(
        [sys.executable, "-m", "proofs.benchmarks.tests.play_plain"],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert played.returncode == 0, played.stderr
    return json.loads(played.stdout)


@pytest.mark.slow
@pytest.mark.any_database
def test_plain_answers_what_the_project_answers(client_for, answers_of_plain):
    ids = {name: BookFactory(id=id_of(name), **facts).pk for name, facts in BOOKS.items()}
    clients = {name: client_for(UserFactory(email=f"{name}@example.com")) for name in ("alice", "bob")}

    answers_of_project = play({**clients, "nobody": APIClient()}, ids)

    calls = [f"{number}: {step['who']} {step['call']} {step.get('body')}" for number, step in enumerate(STEPS)]
    assert dict(zip(calls, answers_of_plain, strict=True)) == dict(zip(calls, answers_of_project, strict=True))
