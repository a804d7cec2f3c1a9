"""Django's settings; all that can be configured comes from the environment (see docs/settings.md)."""

from __future__ import annotations

import os
from pathlib import Path

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from MovieBackend import env
from scraper import VERSION, sources
from scraper.net.url_policy import PrivateHostAllowlist

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.text("VAR_DIR") or BASE_DIR / "var").resolve()
env.load_file(VAR_DIR / "env")

# --- the server
DEBUG = env.flag("DEBUG")
# makemigrations writes code: it signs nothing, serves nobody, and a contributor has no key.
SECRET_KEY = env.secret_key("SECRET_KEY", is_development=DEBUG or env.is_command("makemigrations"))
HOST = env.text("HOST", "127.0.0.1")
ALLOWED_HOSTS = env.host_list(
    "ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]", f"[{HOST}]" if ":" in HOST else HOST]
)
CSRF_TRUSTED_ORIGINS = env.origin_list("CSRF_TRUSTED_ORIGINS")
BEHIND_HTTPS = env.flag("BEHIND_HTTPS")
TRUSTED_PROXIES = env.integer("TRUSTED_PROXIES", 0, maximum=10)
WEB_WORKERS = env.integer("WEB_WORKERS", 2, minimum=1, maximum=64)
WEB_THREADS = env.integer("WEB_THREADS", 8, minimum=1, maximum=256)
PORT = env.integer("PORT", 8000, minimum=1, maximum=65535)
ADMIN_ENABLED = env.flag("ADMIN_ENABLED", True)
METRICS_TOKEN = env.text("METRICS_TOKEN")
# Templates of the operator's, in place of ours of the same name.
TEMPLATE_DIR = Path(env.text("TEMPLATE_DIR") or VAR_DIR / "templates")
SITE_NAME = "Openreel"
NO_CONTACT = "no contact set"
CONTACT = env.header_text("CONTACT", NO_CONTACT)
USER_AGENT = f"Openreel/{VERSION} (+{CONTACT})"

# --- storage
SQLITE = {
    "ENGINE": "django.db.backends.sqlite3",
    # Web server, crawls and cron write to one file. Without IMMEDIATE a transaction that upgrades from read to write
    # fails at once, whatever the time-out (measured: links were lost).
    "OPTIONS": {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-8000;",
    },
    # Closing the last connection writes back the whole WAL and deletes it (measured: 13 ms in each job's process). The
    # connections that the web server's threads keep open prevent that.
    "CONN_MAX_AGE": 60,
}


def _database() -> dict[str, object]:
    url = env.text("DATABASE_URL")
    if not url:
        env.folder(VAR_DIR, "VAR_DIR")
        return {**SQLITE, "NAME": VAR_DIR / "openreel.sqlite3"}
    try:
        parsed = dict(dj_database_url.parse(url))
    except (ValueError, KeyError):
        raise ImproperlyConfigured("DATABASE_URL: write sqlite:///FILE or postgres://USER:PASSWORD@HOST/NAME") from None
    if parsed["ENGINE"] == SQLITE["ENGINE"]:
        return {**SQLITE, "NAME": parsed["NAME"]}
    if parsed["ENGINE"] != "django.db.backends.postgresql":
        raise ImproperlyConfigured("DATABASE_URL: only SQLite and PostgreSQL are supported")
    return {**parsed, "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}


def _cache() -> dict[str, object]:
    url = env.text("CACHE_URL", f"file://{VAR_DIR / 'cache'}")
    if url.startswith("file://"):
        return {
            "BACKEND": "MovieBackend.cache.FailOpenFileCache",
            "LOCATION": url.removeprefix("file://"),
            # With Django's default of 300, rate-limit counters would be evicted before their window ends.
            "OPTIONS": {"MAX_ENTRIES": 5000},
        }
    if url.startswith(("redis://", "rediss://")):
        return {"BACKEND": "MovieBackend.redis_cache.FailOpenRedisCache", "LOCATION": url}
    if url == "memory://":
        return {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    raise ImproperlyConfigured("CACHE_URL: write file:///FOLDER, redis://HOST:PORT/N or memory://")


def _file_cache(default: dict[str, object], name: str, *, max_entries: int) -> dict[str, object]:
    """A cache of large entries: of its own, so that they evict no counters, and never in Redis, whose memory they
    would fill."""
    if str(default["BACKEND"]).endswith("LocMemCache"):
        return {**default, "LOCATION": name}
    files = str(default["BACKEND"]).endswith("FileCache")
    return {
        "BACKEND": "MovieBackend.cache.FailOpenFileCache",
        "LOCATION": f"{default['LOCATION'] if files else VAR_DIR / 'cache'}/{name}",
        "OPTIONS": {"MAX_ENTRIES": max_entries},
    }


def _broker() -> str:
    url = env.text("CELERY_BROKER_URL")
    if url and not url.startswith(("amqp://", "amqps://", "redis://", "rediss://")):
        raise ImproperlyConfigured("CELERY_BROKER_URL: write amqp://USER:PASSWORD@HOST/VHOST or redis://HOST:PORT/N")
    if url and DATABASES["default"]["ENGINE"] == SQLITE["ENGINE"]:
        raise ImproperlyConfigured(
            "CELERY_BROKER_URL is for several machines, which cannot use one SQLite file: set DATABASE_URL to a "
            "PostgreSQL database, postgres://USER:PASSWORD@HOST/NAME"
        )
    return url


EXPORT_DIR = VAR_DIR / "exports"
DATABASES = {"default": _database()}
# Maximum PostgreSQL connections of one web process, used by all its threads (`MovieBackend.wsgi`). Other processes have
# one thread and one connection; they may fork, which a pool's threads would not survive.
DATABASE_POOL = env.integer("DATABASE_POOL", WEB_THREADS, minimum=1, maximum=256)
CACHES = {"default": _cache()}
CACHES["pictures"] = _file_cache(CACHES["default"], "pictures", max_entries=2000)  # about 30 MB
CACHES["captions"] = _file_cache(CACHES["default"], "captions", max_entries=500)  # usually 30 MB, 1 GB at most
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- sources and allowed hosts
SOURCES = env.choice_list(
    "SOURCES", ["example"], known=[slug for slug, one in sources.KNOWN_SOURCES.items() if one.has_spider]
)
ALLOW_LICENCES = env.choice_list("ALLOW_LICENCES", [], known=[*sources.NOT_FREE, "cc"])
SITE_URL = env.base_url("SITE_URL", "")
EXAMPLE_SITE_URL = env.base_url("EXAMPLE_SITE_URL", "http://127.0.0.1:8001")
WIKIDATA_SPARQL_URL = env.base_url("WIKIDATA_SPARQL_URL", sources.DEFAULT_URLS["WIKIDATA_SPARQL_URL"])
WIKIDATA_API_URL = env.base_url("WIKIDATA_API_URL", sources.DEFAULT_URLS["WIKIDATA_API_URL"])
INTERNET_ARCHIVE_URL = env.base_url("INTERNET_ARCHIVE_URL", sources.DEFAULT_URLS["INTERNET_ARCHIVE_URL"])
COMMONS_API_URL = env.base_url("COMMONS_API_URL", sources.DEFAULT_URLS["COMMONS_API_URL"])
LIBRARY_OF_CONGRESS_URL = env.base_url("LIBRARY_OF_CONGRESS_URL", sources.DEFAULT_URLS["LIBRARY_OF_CONGRESS_URL"])
PEERTUBE_URLS = env.url_list("PEERTUBE_URLS", sources.PEERTUBE_URLS)
YOUTUBE_OEMBED_URL = env.base_url("YOUTUBE_OEMBED_URL", sources.OEMBED_URLS["YOUTUBE_OEMBED_URL"])
VIMEO_OEMBED_URL = env.base_url("VIMEO_OEMBED_URL", sources.OEMBED_URLS["VIMEO_OEMBED_URL"])
DAILYMOTION_OEMBED_URL = env.base_url("DAILYMOTION_OEMBED_URL", sources.OEMBED_URLS["DAILYMOTION_OEMBED_URL"])
SOURCE_DELAYS = env.delays("SOURCE_DELAYS")
# Metadata providers, used only by `describe_movies`.
TMDB_URL = env.base_url("TMDB_URL", "https://api.themoviedb.org")
TMDB_API_KEY = env.text("TMDB_API_KEY")
OMDB_URL = env.base_url("OMDB_URL", "https://www.omdbapi.com")
OMDB_API_KEY = env.text("OMDB_API_KEY")
TVMAZE_URL = env.base_url("TVMAZE_URL", "https://api.tvmaze.com")
try:
    ALLOW_PRIVATE_HOSTS = PrivateHostAllowlist.parse(env.comma_list("ALLOW_PRIVATE_HOSTS"))
except ValueError as error:
    raise ImproperlyConfigured(f"ALLOW_PRIVATE_HOSTS: {error}") from None

# --- scrape jobs
# A hundred years: what is subtracted from today has to stay within the calendar.
MAX_HOURS = 876_000
STALE_HOURS = env.number("STALE_HOURS", 24, maximum=MAX_HOURS)
SCRAPE_COOLDOWN_MINUTES = env.number("SCRAPE_COOLDOWN_MINUTES", 10, maximum=MAX_HOURS)
SCRAPE_COOLDOWN_NOTHING_MINUTES = env.number("SCRAPE_COOLDOWN_NOTHING_MINUTES", 60, maximum=MAX_HOURS)
SCRAPE_CLICK_SECONDS = env.number("SCRAPE_CLICK_SECONDS", 10, maximum=MAX_HOURS)
SCRAPE_PROCESSES = env.integer("SCRAPE_PROCESSES", 4, minimum=1, maximum=64)
SCRAPE_TIMEOUT = env.integer("SCRAPE_TIMEOUT", 60, minimum=1, maximum=3600)
# Attempts of a job whose process dies, so that one that always kills its process ends. At most
# `streaming.models.job.MAX_STORED_ATTEMPTS`.
SCRAPE_MAX_ATTEMPTS = 2
SCRAPE_LEASE_SECONDS = env.integer("SCRAPE_LEASE_SECONDS", 30, minimum=2, maximum=600)
SCRAPE_IDLE_SECONDS = env.integer("SCRAPE_IDLE_SECONDS", 300, minimum=1, maximum=86400)
SCRAPE_QUEUE_LIMIT = env.integer("SCRAPE_QUEUE_LIMIT", 200, minimum=1)
# Directory of this machine's supervisor: its lock, its wake-up FIFO and its log.
SCRAPE_DIR = Path(env.text("SCRAPE_DIR") or VAR_DIR / "scrape")
# Empty: this machine's supervisor runs the jobs. Otherwise Celery's workers run them, on any machine.
CELERY_BROKER_URL = _broker()
SCRAPE_NOTIFIER = (
    "streaming.tasks.notify_job" if CELERY_BROKER_URL else "streaming.scraping.supervisor.control.notify_local"
)
HEALTH_NOTIFIER = "streaming.tasks.notify_check" if CELERY_BROKER_URL else ""
# The function that a job's process calls with the job's id.
SCRAPE_CRAWL = "streaming.scraping.crawling.job_crawl.run_job_crawl"
# What the crawl calls in the end with the movie's id, to check links that nobody has checked yet.
SCRAPE_LINK_CHECK = "streaming.health.sweep.immediate_check.check_new_links"
REFRESH_RATE = env.rate("REFRESH_RATE", "6/min")
VISIT_RATE = env.rate("VISIT_RATE", "60/min")
REPORT_RATE = env.rate("REPORT_RATE", "6/min")
LIST_RATE = env.rate("LIST_RATE", "12/min")
TITLE_RATE = env.rate("TITLE_RATE", "30/day")

# --- link health
# 90 times as long, in seconds, has to fit into an integer of PostgreSQL (`streaming.health.prune`).
LINK_GRACE_HOURS = env.number("LINK_GRACE_HOURS", 24, maximum=6000)
HISTORY_DAYS = env.integer("HISTORY_DAYS", 365, minimum=1, maximum=36_500)
HEALTH_CANARIES = env.url_list("HEALTH_CANARIES")
HEALTH_ADAPTIVE = env.flag("HEALTH_ADAPTIVE")
HEALTH_ACCEPT_LANGUAGE = env.header_text("HEALTH_ACCEPT_LANGUAGE", "en,*;q=0.5")
HEALTH_PROCESSES = env.integer("HEALTH_PROCESSES", min(os.cpu_count() or 1, 4), minimum=1, maximum=16)
HEALTH_CONCURRENCY = env.integer("HEALTH_CONCURRENCY", 1000, minimum=1, maximum=5000)
HEALTH_HOST_DELAY_MS = env.integer("HEALTH_HOST_DELAY_MS", 0, maximum=60_000)
WAYBACK_URL = env.base_url("WAYBACK_URL", "")
HEALTH_VERIFY_HOURS = env.number("HEALTH_VERIFY_HOURS", 168, maximum=MAX_HOURS)

# --- the schedule, for those without cron
SCHEDULE = env.flag("SCHEDULE", True)

# --- other instances of Openreel
FOLLOW_URLS = env.url_list("FOLLOW_URLS")
FOLLOW_MAX_FILMS = env.integer("FOLLOW_MAX_FILMS", 500_000, minimum=1)

# --- messages to the operator
NOTIFY_URLS = env.service_urls("NOTIFY_URLS")
NOTIFY_WEBHOOK_URL = env.secret_url("NOTIFY_WEBHOOK_URL")
NOTIFY_WEBHOOK_SECRET = env.text("NOTIFY_WEBHOOK_SECRET")
if NOTIFY_WEBHOOK_URL and len(NOTIFY_WEBHOOK_SECRET) < env.MIN_WEBHOOK_SECRET_LENGTH:
    raise ImproperlyConfigured(
        f"NOTIFY_WEBHOOK_SECRET: the webhook's messages are signed with it; {env.MIN_WEBHOOK_SECRET_LENGTH} characters "
        "at least, for instance the output of `openssl rand -hex 32`"
    )
NOTIFY_TIMEOUT = env.number("NOTIFY_TIMEOUT", 20, minimum=1, maximum=300)
HEARTBEAT_URL = env.secret_url("HEARTBEAT_URL")

# --- Django
INSTALLED_APPS = [
    "MovieBackend.admin_site.OpenreelAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "MovieBackend.staticfiles.OpenreelStaticFilesConfig",
    "django.contrib.humanize",
    "django.contrib.sitemaps",
    "django_htmx",
    "template_partials",
    "rest_framework",
    "rest_framework.authtoken",
    "django_filters",
    "corsheaders",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "streaming",
]
MIDDLEWARE = [
    "MovieBackend.middleware.RefusedEncodingMiddleware",
    "MovieBackend.middleware.LoopbackProbeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "MovieBackend.middleware.SecurityHeadersMiddleware",
    "MovieBackend.middleware.PublicCorsMiddleware",
    "MovieBackend.middleware.ReadingCorsMiddleware",
    "MovieBackend.middleware.ViewerLanguageMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "MovieBackend.middleware.DatabaseUnavailableMiddleware",
    "MovieBackend.middleware.BodyLimitMiddleware",
]
# What forms and the API need fits in memory, and so do lists of films, the only files that are uploaded.
MAX_BODY_BYTES, MAX_STAFF_BODY_BYTES, MAX_LIST_BODY_BYTES = 64 * 1024, 1024 * 1024, 4 * 1024 * 1024
LIST_PATH = "/lists/"
DATA_UPLOAD_MAX_MEMORY_SIZE, FILE_UPLOAD_MAX_MEMORY_SIZE = MAX_STAFF_BODY_BYTES, MAX_LIST_BODY_BYTES
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
ROOT_URLCONF = "MovieBackend.urls"
WSGI_APPLICATION = "MovieBackend.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [TEMPLATE_DIR, BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": ["streaming.templatetags.ui", "template_partials.templatetags.partials"],
        },
    }
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LANGUAGE_CODE = "en"
# The languages of the pages, by the names that their readers know; `locale/` has their texts.
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("es", "Español"), ("fr", "Français")]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_NAME = "language"
USE_TZ = True
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = "MovieBackend.formats"

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = VAR_DIR / "static"
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_USE_FINDERS = True
WHITENOISE_ROOT = BASE_DIR / "static" / "fixed_urls"  # files that browsers look for at fixed URLs, such as /favicon.ico
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "MovieBackend.staticfiles.HashedStaticFilesStorage"},
}

SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "streaming.web.error_pages.csrf_failure"
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = BEHIND_HTTPS
# Monitoring on the machine itself uses neither TLS nor the proxy's headers.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = 31_536_000 if BEHIND_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = BEHIND_HTTPS
if BEHIND_HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Named as in Django 6.0, which has this built in; until then `MovieBackend.middleware` sends it.
SECURE_CSP = {
    "default-src": ["'self'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'", "https:"],
    "connect-src": ["'self'"],
    "object-src": ["'none'"],
    "base-uri": ["'none'"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'none'"],
}

# Any page may read the API, without cookies: what it gets, everybody may read.
CORS_URLS_REGEX = r"^/api/streaming/"
CORS_ALLOW_ALL_ORIGINS = True
CORS_ALLOW_METHODS = ["GET", "HEAD", "OPTIONS"]
CORS_ALLOW_HEADERS = ["accept", "authorization", "if-none-match", "if-modified-since"]
CORS_EXPOSE_HEADERS = ["ETag", "Last-Modified", "Retry-After", "RateLimit", "RateLimit-Policy"]

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["streaming.api.json_renderer.FastJSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    # The first one names the scheme of WWW-Authenticate; sessions have none, and DRF would answer 403 instead of 401.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
        "streaming.api.authentication.ApiKeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "streaming.api.base_views.handle_exception",
    "NUM_PROXIES": TRUSTED_PROXIES,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Openreel API",
    "VERSION": VERSION,
    "OAS_VERSION": "3.1.0",
    "DESCRIPTION": "Films and shows that may lawfully be watched for free, with links that are checked.",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENFORCE_NON_BLANK_FIELDS": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "streaming.api.schema_hooks.describe_refusals",
    ],
    "ENUM_NAME_OVERRIDES": {
        "TypeEnum": "streaming.models.movie.Movie.Type",
        "RowTypeEnum": [("movie", "movie"), ("link", "link")],
    },
}
LOG_FORMAT = env.choice("LOG_FORMAT", "LINE", known=["LINE", "JSON"]).lower()
LOG_LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "MovieBackend.log_formatter.SingleLineFormatter",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        },
        "json": {"()": "MovieBackend.log_formatter.JsonFormatter"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["console"], "level": env.choice("LOG_LEVEL", "WARNING", known=LOG_LEVELS)},
    # Client errors (unknown pages, foreign Host headers) are not logged. Gunicorn warns of every HEAD response that has
    # a body, and then correctly sends it without; waitress of each request that waits for a thread.
    "loggers": {
        "django.request": {"level": "ERROR"},
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "gunicorn.http.wsgi": {"level": "ERROR"},
        "waitress.queue": {"level": "ERROR"},
    },
}
