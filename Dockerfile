# syntax=docker/dockerfile:1
# Not built where it was written, for want of a Docker engine; every command in it was run there by hand.
#
#   docker build --tag bookstore .
#   docker run --publish 8000:8000 --env-file .env bookstore

FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /srv/venv
COPY requirements.txt .
# Every dependency has a wheel: nothing is compiled, and no compiler is needed.
RUN /srv/venv/bin/python -m pip install --no-deps --require-hashes --only-binary :all: -r requirements.txt \
    # What serves needs no installer.
    && /srv/venv/bin/python -m pip uninstall --yes pip

FROM python:3.13-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin bookstore
ENV PATH=/srv/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOST=0.0.0.0 PORT=8000
COPY --from=build /srv/venv /srv/venv
WORKDIR /srv/bookstore
# .dockerignore leaves out what does not serve.
COPY . .
USER bookstore
EXPOSE 8000
# Django answers only to the hosts that it is told of, so the check calls itself by the first of them.
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s CMD ["python", "-c", "\
import os; from urllib.request import Request, urlopen; \
host = os.environ['ALLOWED_HOSTS'].split(',')[0].strip().lstrip('*.') or 'localhost'; \
urlopen(Request(f'http://127.0.0.1:{os.environ[\"PORT\"]}/health', headers={'Host': host}), timeout=2)"]
# The command replaces itself with granian, which so gets Docker's SIGTERM, and lets requests under way finish.
CMD ["python", "manage.py", "serve", "--host", "0.0.0.0"]
