"""Django's settings. Every environment variable is read in the first half; `.env.example` describes them."""

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp import constants as csp
from environs import Env, validate

from bookstore import environment
from bookstore.api import guide, origins
from bookstore.database import from_url
from bookstore.database.deadlines import request_timeout
from bookstore.environment import each, endpoint_for, header_key_of, if_set, key_of, one_of, stop, within
from bookstore.mail import reading
from bookstore.server import app_log

BASE_DIR = Path(__file__).resolve().parent.parent

environment.read_file(BASE_DIR / ".env")
env = Env()

# --- Environment: keys and hosts -------------------------------------------------------------------------------------
DEBUG = environment.read("DEBUG", env.bool, default=False)
read = partial(environment.read, debug=DEBUG)

secret, signing = key_of(50, debug=DEBUG), key_of(32, debug=DEBUG)
SECRET_KEY = read("SECRET_KEY", env.str, debug_default=environment.DEMO_KEY, check=secret)
JWT_SIGNING_KEY = read("JWT_SIGNING_KEY", env.str, debug_default=environment.DEMO_SIGNING_KEY, check=signing)
# Key rotation: signatures of the previous key are still accepted; docs/running.md says for how long.
SECRET_KEY_FALLBACKS = read("SECRET_KEY_FALLBACKS", env.list, default=[], check=each(secret))
JWT_SIGNING_KEY_PREVIOUS = read("JWT_SIGNING_KEY_PREVIOUS", env.str, default="", check=if_set(signing))
if JWT_SIGNING_KEY in {SECRET_KEY, *SECRET_KEY_FALLBACKS}:
    stop("JWT_SIGNING_KEY", "is the same as SECRET_KEY: tokens need their own key")
if JWT_SIGNING_KEY_PREVIOUS in {JWT_SIGNING_KEY, SECRET_KEY}:
    stop("JWT_SIGNING_KEY_PREVIOUS", "is a key in use: set it to the previous key, or leave it empty")
ALLOWED_HOSTS = read("ALLOWED_HOSTS", env.list, debug_default=environment.LOOPBACK, check=environment.hosts)
TRUSTED_PROXIES = read("TRUSTED_PROXIES", env.list, default=[], check=environment.networks)

# --- Environment: the database ---------------------------------------------------------------------------------------
DB_CONNECT_TIMEOUT = read("DB_CONNECT_TIMEOUT", env.int, default=2, validate=within(2, 60))
DB_LOCK_TIMEOUT = read("DB_LOCK_TIMEOUT", env.int, default=2, validate=within(0, 60))
DB_PREPARED_STATEMENTS = read("DB_PREPARED_STATEMENTS", env.bool, default=True)
DB_STATEMENT_TIMEOUT = read("DB_STATEMENT_TIMEOUT", env.int, default=5, validate=within(0, 60))
DB_TRANSACTION_POOLING = read("DB_TRANSACTION_POOLING", env.bool, default=False)
bounds: dict[str, Any] = {
    "connect_timeout": DB_CONNECT_TIMEOUT,
    "lock_timeout": DB_LOCK_TIMEOUT,
    "statement_timeout": DB_STATEMENT_TIMEOUT,
    "prepared_statements": DB_PREPARED_STATEMENTS,
}
pooled = bounds | {"transaction_pooling": DB_TRANSACTION_POOLING}
DATABASE_URL = read(
    "DATABASE_URL",
    env.str,
    debug_default=f"sqlite:///{BASE_DIR / 'bookstore.sqlite3'}",
    check=partial(from_url.database, **pooled),
)
# Bypasses the pooler: `manage.py migrate` needs a connection of its own.
direct_url = partial(from_url.postgresql, **bounds)
DATABASE_DIRECT_URL = read("DATABASE_DIRECT_URL", env.str, default="", check=if_set(direct_url))
DATABASE_REPLICA_URLS = read("DATABASE_REPLICA_URLS", env.str, default="", check=partial(from_url.replicas, **pooled))
REPLICA_MAX_LAG = read("REPLICA_MAX_LAG", env.int, default=5, validate=within(1, 3600))
from_url.check_together(
    DATABASE_URL, direct=DATABASE_DIRECT_URL, replicas=DATABASE_REPLICA_URLS, pooling=DB_TRANSACTION_POOLING
)

# --- Environment: sign-in --------------------------------------------------------------------------------------------
ACCESS_TOKEN_MINUTES = read("ACCESS_TOKEN_MINUTES", env.int, default=5, validate=within(1, 1440))
REFRESH_TOKEN_DAYS = read("REFRESH_TOKEN_DAYS", env.int, default=7, validate=within(1, 365))
REFRESH_GRACE_SECONDS = read("REFRESH_GRACE_SECONDS", env.int, default=30, validate=within(0, 600))
# The issuer of new tokens. If unset, the first of ALLOWED_HOSTS; tokens of the other hosts are then accepted, too, so
# that adding a host or changing the order signs nobody out.
TOKEN_ISSUER = read("TOKEN_ISSUER", env.str, default="", validate=validate.Length(max=200))
TOKEN_ISSUERS = (TOKEN_ISSUER,) if TOKEN_ISSUER else tuple(host for host in ALLOWED_HOSTS if host)
AUTH_THROTTLE_RATE = read("AUTH_THROTTLE_RATE", env.str, default="10/min", check=environment.rate)
REGISTER_THROTTLE_RATE = read("REGISTER_THROTTLE_RATE", env.str, default="", check=if_set(environment.rate))
if REGISTER_THROTTLE_RATE == "":
    REGISTER_THROTTLE_RATE = AUTH_THROTTLE_RATE
SESSION_ADDRESS = read("SESSION_ADDRESS", env.str, default="network", validate=one_of("full", "network", "off"))
STOREFRONT_SECRET = read("STOREFRONT_SECRET", env.str, default="", check=if_set(header_key_of(16)))
ADMIN_SESSION_HOURS = read("ADMIN_SESSION_HOURS", env.int, default=168, validate=within(1, 336))
ADMIN_IDLE_MINUTES = read("ADMIN_IDLE_MINUTES", env.int, default=240, validate=within(10, 20160))

# --- Environment: mails and the storefront that they link to ----------------------------------------------------------
DEMO_SHOP = f"http://127.0.0.1:{env.str('PORT', '') or 8000}/shop"  # examples/shop, whose views are in the fragment
STOREFRONT_URL = read("STOREFRONT_URL", env.str, default=DEMO_SHOP if DEBUG else "", check=reading.storefront)
PAGE_PREFIX = "/#" if STOREFRONT_URL == DEMO_SHOP else ""
STOREFRONT_PATHS = {
    page: read(
        f"STOREFRONT_{page.upper()}_PATH", env.str, default=PAGE_PREFIX + path, check=partial(reading.path_with, name)
    )
    for page, name, path in (
        ("verify", "token", "/verify-email?token={token}"),
        ("reset", "token", "/reset-password?token={token}"),
        ("order", "id", "/orders/{id}"),
    )
}
EMAIL_URL = read("EMAIL_URL", env.str, default="console:" if DEBUG else "", check=reading.mail_server)
SENDS_MAIL = bool(EMAIL_URL)
if SENDS_MAIL and not STOREFRONT_URL:
    stop("STOREFRONT_URL", "is not set, but EMAIL_URL is, and mails have links to the storefront: https://shop.example")
EMAIL_FROM = read("EMAIL_FROM", env.str, default="", check=reading.sender)
MAIL_TEMPLATES = read("MAIL_TEMPLATES", env.str, default="", check=reading.templates)
MAIL_THROTTLE_RATE = read("MAIL_THROTTLE_RATE", env.str, default="10/hour", check=environment.rate)
RESET_MINUTES = read("RESET_MINUTES", env.int, default=60, validate=within(5, 1440))
VERIFY_HOURS = read("VERIFY_HOURS", env.int, default=72, validate=within(1, 720))
REQUIRE_VERIFIED_EMAIL = read("REQUIRE_VERIFIED_EMAIL", env.bool, default=False)
if REQUIRE_VERIFIED_EMAIL and not SENDS_MAIL:
    stop("REQUIRE_VERIFIED_EMAIL", "is 1, but EMAIL_URL is not set: no customer could verify an email")

# --- Environment: the shop -------------------------------------------------------------------------------------------
SHOP_CURRENCY = read("SHOP_CURRENCY", env.str, default="USD", check=environment.currency)
CART_MAX_LINES = read("CART_MAX_LINES", env.int, default=100, validate=within(1, 1000))
CART_DAYS = read("CART_DAYS", env.int, default=180, validate=within(0, 36500))
ORDER_HOLD_MINUTES = read("ORDER_HOLD_MINUTES", env.int, default=60, validate=within(0, 525_600))
LOW_STOCK = read("LOW_STOCK", env.int, default=5, validate=within(1, 100_000))
AUDIT_DAYS = read("AUDIT_DAYS", env.int, default=730, validate=within(1, 36500))

# --- Environment: HTTP -----------------------------------------------------------------------------------------------
CORS_ALLOWED_ORIGINS, CORS_ALLOWED_ORIGIN_REGEXES = read(
    "CORS_ALLOWED_ORIGINS", env.list, default=origins.DEVELOPMENT if DEBUG else [], check=origins.origins
)
CORS_ALLOW_HEADERS = read("CORS_ALLOWED_HEADERS", env.list, default=[], check=origins.headers)
CSRF_TRUSTED_ORIGINS = read("CSRF_TRUSTED_ORIGINS", env.list, default=[], check=environment.trusted_origins)
# One year; 0 with DEBUG=1.
HSTS_SECONDS = read("HSTS_SECONDS", env.int, default=0 if DEBUG else 31_536_000, validate=within(0, 63_072_000))
HSTS_SUBDOMAINS = read("HSTS_SUBDOMAINS", env.bool, default=False)
HSTS_PRELOAD = read("HSTS_PRELOAD", env.bool, default=False)
if HSTS_PRELOAD and HSTS_SECONDS < 31_536_000:
    stop("HSTS_PRELOAD", "is 1, but browsers only preload sites with HSTS_SECONDS of at least 31536000, a year")
API_DOCS = read("API_DOCS", env.bool, default=True)
# Whether the catalogue refuses unknown query parameters.
STRICT_QUERY = read("STRICT_QUERY", env.bool, default=True)
# Cache lifetime of catalogue responses: how old a price or stock may be. With 0 caches revalidate each time.
CATALOGUE_CACHE_SECONDS = read("CATALOGUE_CACHE_SECONDS", env.int, default=0, validate=within(0, 86_400))

# --- Environment: the server, its logs and metrics -------------------------------------------------------------------
FAST_PATH = read("FAST_PATH", env.bool, default=True)
THREADS = read("THREADS", env.int, default=1, validate=within(1, 1024))
SLOW_STATEMENT_MS = read("SLOW_STATEMENT_MS", env.int, default=0, validate=within(0, 60_000))
LOG_ADDRESS = read("LOG_ADDRESS", env.str, default="network", validate=one_of("full", "network", "off"))
LOG_LEVEL = read("LOG_LEVEL", env.str, default="INFO", validate=one_of("DEBUG", "INFO", "WARNING", "ERROR"))
LOG_FORMAT = read("LOG_FORMAT", env.str, default="text" if DEBUG else "json", validate=one_of("text", "json"))
TRACES_ENDPOINT = read("TRACES_ENDPOINT", env.str, default="", check=if_set(endpoint_for("opentelemetry.sdk")))
SENTRY_DSN = read("SENTRY_DSN", env.str, default="", check=if_set(endpoint_for("sentry_sdk")))
METRICS_ENABLED = read("METRICS_ENABLED", env.bool, default=False)
# Loopback with DEBUG=1 only: in production a proxy on this host that adds no header looks like a local client.
METRICS_ALLOWED = read(
    "METRICS_ALLOWED", env.list, default=["127.0.0.1", "::1"] if DEBUG else [], check=environment.networks
)
METRICS_TOKEN = read("METRICS_TOKEN", env.str, default="", check=if_set(header_key_of(16)))
if METRICS_ENABLED and not (METRICS_ALLOWED or METRICS_TOKEN):
    stop("METRICS_TOKEN", "is not set, nor METRICS_ALLOWED: with METRICS_ENABLED=1 one of them says who reads /metrics")
if METRICS_ENABLED and not METRICS_TOKEN and environment.all_within(METRICS_ALLOWED, TRUSTED_PROXIES):
    stop(
        "METRICS_ALLOWED",
        "names only addresses that TRUSTED_PROXIES names too, and through a proxy nobody reads /metrics: name others, "
        "or set METRICS_TOKEN",
    )

# --- Django ----------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "orders",
    "cart",
    "catalog",
    "bookstore.accounts",
    "bookstore.audit",
    "django_tasks",
    "django_tasks_db",
    "bookstore.tasks",  # unregisters the admin page of the app before it
    "bookstore.admin",
    "bookstore",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "corsheaders",
    "bookstore.admin.site.BookstoreAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
]

# Paths with these prefixes are pages (MIDDLEWARE), all others the API's (API_MIDDLEWARE): bookstore/api/handler.py.
PAGES = ("/admin/", "/static/", "/shop/")
API_MIDDLEWARE = [
    "bookstore.api.middleware.RequestLogMiddleware",
    "bookstore.api.middleware.ErrorEnvelopeMiddleware",
    "bookstore.api.headers.HeadersMiddleware",
    "bookstore.api.headers.CorsHeaders",
    "bookstore.api.hosts.HostMiddleware",
    "bookstore.api.middleware.TrailingSlashMiddleware",
]
MIDDLEWARE = [
    "bookstore.api.handler.ApiRequests",  # first: answers the API's requests itself
    "bookstore.api.middleware.RequestLogMiddleware",
    "bookstore.api.middleware.ErrorEnvelopeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "bookstore.admin.sessions.AdminSessions",
    "bookstore.api.hosts.HostMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "bookstore.admin.errors.UnavailableMiddleware",
]

if SLOW_STATEMENT_MS:
    MIDDLEWARE.insert(0, "bookstore.server.slow_statements.SlowStatements")
if TRACES_ENDPOINT:
    MIDDLEWARE.insert(0, "bookstore.server.traces.TracesMiddleware")
if METRICS_ENABLED:
    MIDDLEWARE.insert(0, "bookstore.server.metrics.MetricsMiddleware")

ROOT_URLCONF = "bookstore.urls"
WSGI_APPLICATION = "bookstore.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": MAIL_TEMPLATES,
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Replicas for reads of the public catalogue; all else uses `default`: bookstore/database/replicas.py.
REPLICAS = {
    f"replica{number}": replica | {"TEST": {"MIRROR": "default"}}
    for number, replica in enumerate(DATABASE_REPLICA_URLS, start=1)
}
DATABASES = {"default": DATABASE_URL, **REPLICAS}
# Deadline in seconds for all database work of one API request; the admin has only the timeout of each statement.
REQUEST_TIMEOUT = request_timeout(DB_STATEMENT_TIMEOUT)
if REPLICAS:
    DATABASE_ROUTERS = ["bookstore.database.replicas.CatalogueRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Per process: entries are valid for a minute, so processes need not share them.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# Mails: bookstore/mail/.
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
globals().update(EMAIL_URL)  # EMAIL_BACKEND, and what it needs: EMAIL_HOST, …
DEFAULT_FROM_EMAIL = SERVER_EMAIL = EMAIL_FROM or f"no-reply@{urlsplit(STOREFRONT_URL).hostname or 'localhost'}"

# The queue of background tasks is the database: bookstore/tasks/.
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
FORMAT_MODULE_PATH = "bookstore.admin.formats"
USE_I18N = False

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True

# --- Accounts --------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
LOGIN_REDIRECT_URL = "admin:index"  # of the staff's site, where `next` is empty or leads elsewhere
PASSWORD_HASHERS = ["bookstore.accounts.hashers.Argon2id"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["email"]},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
    {"NAME": "bookstore.accounts.passwords.CommonPassword"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "bookstore.accounts.passwords.UsablePassword"},
]

SIMPLE_JWT = {
    "ALGORITHM": "HS256",
    "SIGNING_KEY": JWT_SIGNING_KEY,
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=ACCESS_TOKEN_MINUTES),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=REFRESH_TOKEN_DAYS),
    "USER_ID_CLAIM": "sub",
}

# --- The API ---------------------------------------------------------------------------------------------------------
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000  # bytes: the contract's limit of a body
LARGEST_UPLOAD = 26_214_400  # bytes: a file that staff import; nginx's client_max_body_size is the same
JSON_MAX_DEPTH = 100

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["bookstore.accounts.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["bookstore.accounts.permissions.SignedIn"],
    "DEFAULT_PARSER_CLASSES": ["bookstore.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "bookstore.api.parsers.JSONFirstNegotiation",
    "DEFAULT_SCHEMA_CLASS": "bookstore.api.schema.EnvelopeAutoSchema",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "bookstore.api.errors.exception_handler",
    "URL_FORMAT_OVERRIDE": None,
    "UNICODE_JSON": True,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

SPECTACULAR_SETTINGS = guide.spectacular(debug=DEBUG)

# Response headers that a storefront in a browser may read.
CORS_EXPOSE_HEADERS = ["ETag", "Link", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-ID", "X-Total-Count"]

# --- Transport -------------------------------------------------------------------------------------------------------
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
CSRF_FAILURE_VIEW = "bookstore.admin.errors.stale"
SECURE_HSTS_SECONDS = HSTS_SECONDS
SECURE_HSTS_INCLUDE_SUBDOMAINS = HSTS_SUBDOMAINS or HSTS_PRELOAD
SECURE_HSTS_PRELOAD = HSTS_PRELOAD
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Of the pages, and of /docs: scripts and styles are files of this host's. Covers of books are anywhere.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [csp.NONE],
        "script-src": [csp.SELF],
        "style-src": [csp.SELF],
        "font-src": [csp.SELF],
        "connect-src": [csp.SELF],
        "img-src": [csp.SELF, "data:", "https:", "http:"],
        "form-action": [csp.SELF],
        "base-uri": [csp.NONE],
        "frame-ancestors": [csp.NONE],
    }
}
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# W008 asks for a redirect from http to https. The proxy that terminates TLS redirects the admin; an API client that
# sent its token over http must fail, not be redirected.
# W005 and W021 ask for HSTS on subdomains and for preloading: the owner of the domain decides (HSTS_SUBDOMAINS,
# HSTS_PRELOAD), because leaving the preload list is slow.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W008", "security.W021"]

# --- Logs ------------------------------------------------------------------------------------------------------------
LOGGING = app_log.logging(level=LOG_LEVEL, form=LOG_FORMAT)
