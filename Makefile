# Everything here does its own set-up: a bare clone, make and a Python of at least 3.11 are enough.
# `make` alone lists the targets. Works with GNU make 3.81 (macOS) and newer.

.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-print-directory
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
export PYTHONUNBUFFERED := 1

# --- Python ----------------------------------------------------------------------------------------------------
# `make test PYTHON=python3.13` has a virtual environment of its own beside .venv, so that versions never mix.
# A candidate is run before it is believed: a pyenv shim is on PATH for versions that do not start.
CANDIDATES := python3.13 python3.12 python3.11 python3 python
VERSION := import sys; print("%d.%d" % sys.version_info[:2]); sys.exit(sys.version_info < (3, 11))
ifdef PYTHON
  PYTHON_VERSION := $(shell "$(PYTHON)" -c '$(VERSION)' 2>/dev/null)
  VENV := .venv-$(or $(PYTHON_VERSION),none)
  CANDIDATES := $(PYTHON)
else
  VENV := .venv
endif
PY := $(VENV)/bin/python
# What the benchmarks measure beside the service is never installed where the service is developed.
BENCH_VENV := $(VENV)-bench
# Nor is the tool that breaks the code for `make mutation`.
MUTATION_VENV := $(VENV)-mutants
# Broken when the Python it was made of is gone, when making it was cut short, or when it has another version.
VENV_WORKS := $(shell $(PY) -c 'import importlib.util, sys; \
  sys.exit(sys.version_info < (3, 11) or not importlib.util.find_spec("pip") \
  or "$(PYTHON_VERSION)" not in ("", "%d.%d" % sys.version_info[:2]))' 2>/dev/null && echo yes)
# A stamp in a virtual environment that is about to be remade says nothing, however new it is.
REMADE := $(if $(VENV_WORKS),,FORCE)

# --- What the commands run with --------------------------------------------------------------------------------
DEMO := DEBUG=1
# Production settings with secrets that live as long as the command.
PRODUCTION := DEBUG=0 ALLOWED_HOSTS=books.example.com DATABASE_URL=sqlite:///build/check.sqlite3 \
  SECRET_KEY=$$($(PY) -c 'import secrets; print(secrets.token_urlsafe(50))') \
  JWT_SIGNING_KEY=$$($(PY) -c 'import secrets; print(secrets.token_urlsafe(50))')
NEXT := python3.13
# A lock names all that it needs: nothing is resolved. pip would else look at newer releases, for an extra that one of
# them asks for, and refuse them because they are not locked.
INSTALL := $(PY) -m pip install -qq --no-deps --require-hashes
LOCK := $(PY) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --no-emit-find-links --no-header $(if $(UPGRADE),--upgrade)

##@ Run

run: $(VENV)/runtime.stamp ## serve the demo shop on http://127.0.0.1:8000 (PORT=, WORKERS=, DATABASE_URL=)
	@$(DEMO) $(PY) manage.py migrate --verbosity 0
	@$(DEMO) $(PY) manage.py load_demo
	@$(DEMO) $(PY) manage.py load_demo_carts
	@$(DEMO) exec $(PY) manage.py serve --host 127.0.0.1

serve: $(VENV)/runtime.stamp ## the same server with the environment's settings: no demo data, no migration
	@exec $(PY) manage.py serve

shell: $(VENV)/runtime.stamp ## a Python prompt on the database of `make run`
	@$(DEMO) exec $(PY) manage.py shell

##@ Test

test: $(VENV)/dev.stamp ## the whole suite on SQLite, then all that uses a database on PostgreSQL (ARGS="-k cart", TEST_DATABASE_URL=, REQUIRE_PG=1)
	@$(PY) -m tools.test -- $(ARGS)

test-sqlite: $(VENV)/dev.stamp ## the suite on SQLite only
	@$(PY) -m tools.test --only sqlite -- $(ARGS)

test-pg: $(VENV)/dev.stamp ## the suite on PostgreSQL only
	@$(PY) -m tools.test --only postgres -- $(ARGS)

test-plain: $(VENV)/dev.stamp ## the apps' tests without the fast path (FAST_PATH=0), on SQLite
	@FAST_PATH=0 $(PY) -m tools.test --only sqlite -- -m "not slow" $(filter-out tools/%,$(wildcard */tests)) bookstore/accounts tests/contract/test_fast_path.py $(ARGS)

test-pgbouncer: $(VENV)/dev.stamp ## the suite on PostgreSQL through PgBouncer in transaction mode, where that is installed
	@$(PY) -m tools.test --only pgbouncer -- $(ARGS)

stress: $(VENV)/dev.stamp ## the proofs that take minutes: races, crashes, overload, hostile input (ARGS="races crashes"; ARGS=--long, an hour and a half)
	@$(PY) -m proofs.stress $(ARGS)

mutation: $(VENV)/dev.stamp $(MUTATION_VENV)/mutants.stamp ## change the code in one place at a time: does a test notice? (ARGS="--only cart/permissions.py")
	@$(PY) -m proofs.mutation $(ARGS)

cluster: $(VENV)/dev.stamp ## three PostgreSQL, two hosts of the application, and all between them, until Ctrl-C (needs Debian packages)
	@exec $(PY) -m proofs.cluster up $(ARGS)

cluster-test: $(VENV)/dev.stamp ## break one part of a cluster after the other under load (ARGS="--events leader,switchover --times 3")
	@exec $(PY) -m proofs.cluster test $(ARGS)

coverage: $(VENV)/dev.stamp ## the suite on PostgreSQL with branches counted: at least 95% of the whole, and what an app asks of itself
	@$(PY) -m tools.test --only postgres -- --cov --cov-report= $(ARGS)
	@$(PY) -m coverage report
	@for own in */coverage.ini; do $(PY) -m coverage report --rcfile=$$own || exit 1; done

# Told apart from the others on purpose: what it installs changes from day to day, and so may its result.
test-next: $(VENV)/dev.stamp ## the suite on Python 3.13 with the newest Django and the newest of all else, nothing locked
	@mkdir -p build
	@sed -e 's/^django[>=].*/django/' -e '/^-r /d' requirements.in requirements-observability.in requirements-dev.in > build/requirements-next.in
	@$(NEXT) -c 'import sys; sys.exit(sys.version_info < (3, 13))' 2>/dev/null || \
	  { echo "error: $(NEXT) does not run: install Python 3.13, or say where it is with NEXT=" >&2; exit 1; }
	@$(PY) -m uv venv --quiet --allow-existing --python "$$($(NEXT) -c 'import sys; print(sys.executable)')" .venv-next
	@$(PY) -m uv pip install --quiet --upgrade --python .venv-next/bin/python -r build/requirements-next.in
	@.venv-next/bin/python -c 'import django, sys; print("Python", sys.version.split()[0], "with Django", django.__version__)'
	@.venv-next/bin/python -m tools.test -- $(ARGS)

##@ Check

lint: $(VENV)/dev.stamp ## style, types, missing migrations, the OpenAPI schema, deployment settings
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(DEMO) $(PY) -m mypy
	$(DEMO) $(PY) manage.py makemigrations --check --dry-run
	$(DEMO) $(PY) manage.py spectacular --validate --fail-on-warn --file /dev/null
	@$(MAKE) check-deploy

check-deploy: $(VENV)/dev.stamp ## Django's deployment checks under production settings
	@mkdir -p build
	@$(PRODUCTION) $(PY) manage.py check --deploy --fail-level WARNING

types: $(VENV)/dev.stamp ## clients from the OpenAPI schema: whether their types are good, and whether they work (needs Node.js)
	@$(PY) -m tools.check_types

fmt: $(VENV)/dev.stamp ## format, and mend what ruff can mend
	@$(PY) -m ruff check --fix --exit-zero --quiet .
	@$(PY) -m ruff format .

##@ Measure

bench: $(BENCH_VENV)/bench.stamp ## catalogue and carts: this project beside plain Django and others (ROUNDS=3 SECONDS=5 ARGS="--only project,plain")
	@exec $(BENCH_VENV)/bin/python -m proofs.benchmarks.run --rounds $(or $(ROUNDS),3) --seconds $(or $(SECONDS),5) $(ARGS)

bench-scale: $(BENCH_VENV)/bench.stamp ## with a million carts, their admin, and a million books (BOOKS=books.csv, ARGS="--only admin")
	@exec $(BENCH_VENV)/bin/python -m proofs.benchmarks.scale $(if $(BOOKS),--csv "$(BOOKS)") --rounds $(or $(ROUNDS),3) --seconds $(or $(SECONDS),5) $(ARGS)

bench-checkout: $(BENCH_VENV)/bench.stamp ## checkouts of 5 lines beside plain Django, or 200 customers at one book (ARGS="--crowd")
	@exec $(BENCH_VENV)/bin/python -m proofs.benchmarks.checkout --rounds $(or $(ROUNDS),3) --seconds $(or $(SECONDS),4) $(ARGS)

bench-profile: $(VENV)/dev.stamp ## where the microseconds of one GET /cart go, inside one process
	@$(PRODUCTION) $(PY) -m tools.postgres run -- \
	  sh -c '$(PY) manage.py migrate --verbosity 0 && $(PY) proofs/benchmarks/profile_get.py'

##@ Keep

lock: $(VENV)/dev.stamp ## lock the dependencies with hashes (UPGRADE=1: to their newest versions)
	$(LOCK) requirements.in --output-file requirements.txt
	$(LOCK) requirements-observability.in --constraints requirements.txt --output-file requirements-observability.txt
	$(LOCK) requirements-dev.in --constraints requirements.txt --output-file requirements-dev.txt
	$(LOCK) proofs/benchmarks/requirements.in --constraints requirements.txt --output-file proofs/benchmarks/requirements.txt
	$(LOCK) tools/python_client/requirements.in --output-file tools/python_client/requirements.txt
	$(LOCK) proofs/mutation/requirements.in --output-file proofs/mutation/requirements.txt

docs: $(VENV)/dev.stamp ## write again what is made of other files: settings, the list of decisions, the OpenAPI schema
	@$(PY) -m tools.pages
	@$(DEMO) $(PY) -m tools.openapi

clean: ## remove virtual environments, caches and build results; the demo database stays
	rm -rf .venv .venv-* build .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

help: ## this list
	@awk -F ' ## ' ' \
	  /^##@/ { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.* ## / { split($$1, target, ":"); printf "  make %-14s %s\n", target[1], $$2 }' Makefile

# --- Set-up: each stamp is newer than the lock it was installed from --------------------------------------------

$(VENV)/runtime.stamp: requirements.txt $(PY) $(REMADE)
	@echo "Installing requirements.txt into $(VENV)"
	@$(INSTALL) -r requirements.txt
	@touch $@

# The development lock holds everything of the other one, at the same versions (tools/tests/test_locks.py).
$(VENV)/dev.stamp: requirements-dev.txt $(PY) $(REMADE)
	@echo "Installing requirements-dev.txt into $(VENV)"
	@$(INSTALL) -r requirements-dev.txt
	@touch $@ $(VENV)/runtime.stamp

$(BENCH_VENV)/bench.stamp: proofs/benchmarks/requirements.txt $(PY) $(REMADE)
	@echo "Installing proofs/benchmarks/requirements.txt into $(BENCH_VENV)"
	@$(PY) -m venv --clear $(BENCH_VENV) && echo '*' > $(BENCH_VENV)/.gitignore
	@$(BENCH_VENV)/bin/python -m pip install -qq --no-deps --require-hashes -r proofs/benchmarks/requirements.txt
	@touch $@

$(MUTATION_VENV)/mutants.stamp: proofs/mutation/requirements.txt $(PY) $(REMADE)
	@echo "Installing proofs/mutation/requirements.txt into $(MUTATION_VENV)"
	@$(PY) -m venv --clear $(MUTATION_VENV) && echo '*' > $(MUTATION_VENV)/.gitignore
	@$(MUTATION_VENV)/bin/python -m pip install -qq --no-deps --require-hashes -r proofs/mutation/requirements.txt
	@touch $@

$(PY): $(REMADE)
	@found=; without_venv=; \
	for candidate in $(CANDIDATES); do \
	  "$$candidate" -c '$(VERSION)' >/dev/null 2>&1 || continue; \
	  if "$$candidate" -c 'import ensurepip, venv' >/dev/null 2>&1; then found=$$candidate; break; fi; \
	  without_venv=$${without_venv:-$$candidate}; \
	done; \
	if [ -z "$$found" ] && [ -n "$$without_venv" ]; then \
	  echo "error: $$without_venv cannot make a virtual environment: install its venv module (Debian, Ubuntu: apt install python3-venv)" >&2; exit 1; \
	elif [ -z "$$found" ]; then \
	  echo "error: no Python >= 3.11 that runs (tried: $(CANDIDATES)): install one, or say where it is with PYTHON=" >&2; exit 1; \
	fi; \
	echo "Making $(VENV) with $$found"; \
	"$$found" -m venv --clear $(VENV) || { echo "error: $$found -m venv $(VENV) failed (Debian, Ubuntu: apt install python3-venv)" >&2; exit 1; }; \
	echo '*' > $(VENV)/.gitignore

FORCE:

.PHONY: docs cluster cluster-test stress mutation coverage run serve shell test test-sqlite test-pg test-plain test-pgbouncer test-next lint check-deploy types fmt bench bench-scale bench-checkout bench-profile lock clean help FORCE
