"""Whether clients can be generated from the OpenAPI schema, whether its types are good ones, and whether they work.

    python -m tools.check_types

- openapi-typescript writes build/api.d.ts from the schema, and tsc --strict compiles tools/typescript/storefront.ts
  against it: code of a storefront, together with mistakes that good types catch; and the shop in examples/.
- orval (a client with fetch, and zod's schemas) and hey-api write clients, and tsc --strict compiles them.
- openapi-python-client writes a client without a warning, and mypy --strict checks code that uses it.
- A shop is served; examples/storefront.ts (example.ts) and all these clients (live.ts, live.py) are played against it.
- redocly lints the schema with its recommended rules: no error and no warning.

All tools are locked, in tools/typescript/package-lock.json and tools/python_client/requirements.txt.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.server import running_server

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "tools" / "typescript"
PYTHON_CLIENT = ROOT / "tools" / "python_client"
SCHEMA, TYPES = ROOT / "build" / "schema.json", ROOT / "build" / "api.d.ts"

ENVIRONMENT = {"DEBUG": "1", "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}


def run(*command: str | Path, cwd: Path = ROOT) -> None:
    """Ends this program with one line when the command fails; what the command said stands above it."""
    done = subprocess.run([*map(str, command)], cwd=cwd, env=os.environ | ENVIRONMENT)  # our own commands
    if done.returncode:
        sys.exit(f"error: {' '.join(map(str, command[:3]))} ended with {done.returncode}")


def install(npm: str) -> None:
    """The locked tools, unless those of this very lock are installed."""
    lock, stamp = FOLDER / "package-lock.json", FOLDER / "node_modules" / ".installed.json"
    if not stamp.exists() or stamp.read_bytes() != lock.read_bytes():
        run(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", cwd=FOLDER)
        shutil.copy(lock, stamp)


def with_python_client_tools(program: str) -> tuple[str | Path, ...]:
    """A command line of a program of tools/python_client/requirements.txt, in an environment that uv keeps."""
    uv = (sys.executable, "-m", "uv", "run", "--quiet", "--isolated", "--no-project")
    return (*uv, "--with-requirements", PYTHON_CLIENT / "requirements.txt", program)


def generate_python_client() -> None:
    target = ROOT / "build" / "python_client"
    options = ("--path", SCHEMA, "--output-path", target, "--meta", "none", "--overwrite", "--fail-on-warning")
    run(*with_python_client_tools("openapi-python-client"), "generate", *options)
    # In build/, where mypy finds what was generated.
    mypy = ("--strict", "--config-file", os.devnull, "--cache-dir", "mypy_of_client", PYTHON_CLIENT / "live.py")
    run(*with_python_client_tools("mypy"), *mypy, cwd=target.parent)


@contextmanager
def served_shop() -> Iterator[str]:
    """The URL of a demo shop on a database of its own."""
    with TemporaryDirectory() as folder:
        database = f"sqlite:///{Path(folder, 'shop.sqlite3')}"
        for command in ("migrate", "load_demo"):
            environment = os.environ | ENVIRONMENT | {"DATABASE_URL": database}
            subprocess.run(
                [sys.executable, "manage.py", command, "--verbosity", "0"], cwd=ROOT, env=environment, check=True
            )
        with running_server(workers=1, DATABASE_URL=database) as port:
            yield f"http://127.0.0.1:{port}"


def main() -> None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        sys.exit("error: the TypeScript check needs node and npm on PATH: install Node.js 20 or newer")
    install(npm)
    SCHEMA.parent.mkdir(exist_ok=True)
    run(sys.executable, "manage.py", "spectacular", "--format", "openapi-json", "--file", SCHEMA)
    modules = FOLDER / "node_modules"
    # A field with a default may be left out of a request.
    options = ("--default-non-nullable=false", "--output", TYPES)
    run(node, modules / "openapi-typescript" / "bin" / "cli.js", SCHEMA, *options)
    run(node, modules / "typescript" / "bin" / "tsc", "--project", FOLDER)
    run(node, modules / "typescript" / "bin" / "tsc", "--project", ROOT / "examples" / "shop")
    shutil.rmtree(FOLDER / "generated", ignore_errors=True)
    run(node, modules / "orval" / "dist" / "bin" / "orval.js", "--config", "orval.config.cjs", cwd=FOLDER)
    hey_api = (modules / "@hey-api" / "openapi-ts" / "bin" / "run.js", "--input", SCHEMA, "--output", "generated/hey")
    run(node, *hey_api, "--client", "@hey-api/client-fetch", cwd=FOLDER)
    run(node, modules / "typescript" / "bin" / "tsc", "--project", FOLDER / "generated.tsconfig.json")
    run(node, modules / "typescript" / "bin" / "tsc", "--project", FOLDER / "live.tsconfig.json")
    generate_python_client()
    with served_shop() as url:
        for program in ("example.js", "live.js"):
            run(node, FOLDER / "generated" / "live" / "tools" / "typescript" / program, url)
        run(*with_python_client_tools("python"), PYTHON_CLIENT / "live.py", url)
    lint = (modules / "@redocly" / "cli" / "bin" / "cli.js", "lint", SCHEMA, "--max-problems", "100")
    run(node, *lint, "--extends", "recommended-strict")
    print("The clients that orval, zod, hey-api and openapi-python-client write compile, and redocly finds nothing.")
    print(f"The types of {TYPES.relative_to(ROOT)} are good: storefront.ts compiles against them.")


if __name__ == "__main__":
    main()
