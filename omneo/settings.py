"""All settings, read from the environment. Importing them starts nothing and connects nowhere."""

import os
from pathlib import Path

import dj_database_url

from omneo.embedded.postgres import database_url

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(os.environ.get("OMNEO_VAR", BASE_DIR / "var"))


def env_list(name: str, default: str = "") -> list[str]:
    return [part.strip() for part in os.environ.get(name, default).split(",") if part.strip()]


# What must differ between a developer's machine and production
DEBUG = os.environ.get("OMNEO_DEBUG", "") == "1"
DEVELOPMENT_SECRET_KEY = "only-for-development"  # noqa: S105
SECRET_KEY = os.environ.get("OMNEO_SECRET_KEY", DEVELOPMENT_SECRET_KEY)
ALLOWED_HOSTS = env_list("OMNEO_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env_list("OMNEO_CSRF_TRUSTED_ORIGINS")

# Applications, the upper ones first: an app extends what stands below it
INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "rest_framework",
    "knox",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "aggregations",
    "profiles",
    "locations",
    "omneo.api",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "omneo.urls"
WSGI_APPLICATION = "omneo.wsgi.application"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "omneo" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# Database: PostgreSQL 15 or newer
DATABASES = {
    "default": {
        **dj_database_url.parse(
            os.environ.get("DATABASE_URL") or database_url(VAR_DIR / "postgres"),
            conn_max_age=600,
            conn_health_checks=True,
        ),
        "OPTIONS": {
            # The calculation's statements are bound by the server and kept: planning one takes
            # longer than running it for a profile. The ORM's are not touched by either.
            "prepare_threshold": 0,
            # And a statement whose worker was killed goes on for seconds, not to its end: what it
            # has taken is nobody else's so long.
            "options": "-c jit=off -c plan_cache_mode=force_generic_plan"
            " -c client_connection_check_interval=5s",
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SYSTEM_CURRENCY = os.environ.get("OMNEO_SYSTEM_CURRENCY", "USD")

# Time and language
TIME_ZONE = "UTC"
USE_TZ = True
LANGUAGE_CODE = "en"

# Static files: the admin's, served by the web process itself
STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True

# Staff
LOGIN_REDIRECT_URL = "admin:index"
# What is said of a customer's row stays with who is told, and does not lie in a session.
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
UNFOLD = {
    "SITE_TITLE": "Omneo",
    "SITE_HEADER": "Omneo",
    "SITE_SUBHEADER": "Profiles and aggregations",
    "SITE_SYMBOL": "monitoring",
    "SITE_URL": "/",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": "omneo.admin.navigation.favicon"}
    ],
    "DASHBOARD_CALLBACK": "aggregations.admin.dashboard.dashboard",
    "SIDEBAR": {"navigation": "omneo.admin.navigation.sidebar"},
}

# Logs go to the standard error of the process, whose supervisor keeps them. They say what went
# wrong and where, and nothing of what customers are called.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "class": "omneo.discretion.DiscreetFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s: %(message)s",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": os.environ.get("OMNEO_LOG_LEVEL", "WARNING")},
    "loggers": {
        "django": {"handlers": [], "level": "WARNING", "propagate": True},
        # What a client got wrong is in its answer; what the server got wrong is for the log.
        "django.request": {"level": "ERROR"},
    },
}

# Celery: a message is a nudge, the request stands in the database
CELERY_BROKER_URL = os.environ.get("CELERY_BROKER_URL") or "filesystem://localhost"
# A writer has committed when it sends the message, and waits no longer than this for a broker that
# is away: one more try at once where the connection fails. A message that is lost is made up for.
BROKER_PATIENCE = 2  # seconds
CELERY_BROKER_CONNECTION_TIMEOUT = BROKER_PATIENCE
# Longer than the longest batch, which is then taken back; what was done before it is committed,
# and the periodic task goes on. The hard limit ends what does not listen.
CELERY_TASK_SOFT_TIME_LIMIT = 600
CELERY_TASK_TIME_LIMIT = 660


def broker_transport_options(url: str) -> dict[str, object]:
    """Return what bounds the waiting for a broker, each kind in its own words."""
    options: dict[str, object] = {"max_retries": 1, "interval_start": 0, "interval_step": 0}
    if url.startswith("filesystem:"):
        options |= {
            "data_folder_in": str(VAR_DIR / "broker"),
            "data_folder_out": str(VAR_DIR / "broker"),
            "control_folder": str(VAR_DIR / "broker" / "control"),
            "polling_interval": 0.05,
        }
    elif url.startswith(("redis:", "rediss:")):
        options |= {
            # Without them a publish waits for ever; above the second that a worker's read blocks.
            "socket_connect_timeout": BROKER_PATIENCE,
            "socket_timeout": BROKER_PATIENCE,
            # Redis delivers again what nobody acknowledged in time: after a task at its limit, and
            # the one that was fetched behind it.
            "visibility_timeout": 3 * CELERY_TASK_TIME_LIMIT,
        }
    elif url.startswith(("amqp:", "amqps:", "pyamqp:")):
        # For each answer to what is asked before the first message of a connection, such as
        # whether the queue is there. A message itself has no answer; what the network does not
        # take from us breaks the connection within a second.
        options |= {"read_timeout": BROKER_PATIENCE}
    return options


CELERY_BROKER_TRANSPORT_OPTIONS = broker_transport_options(CELERY_BROKER_URL)
# Nobody reads a result: what a task did stands in the database.
CELERY_TASK_IGNORE_RESULT = True
# A message is data, never code, whoever can reach the broker.
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
# A message outlives the worker that had it in hand; every task may run twice. But not the process
# that ran it, where the worker lives on: what kills a process each time would go round for ever,
# and the periodic tasks make up for it.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = False
# A message fetched and kept behind a long task is one that no idle worker can take.
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# What a library leaks does not pile up for months; rare enough that a new process costs nothing.
CELERY_WORKER_MAX_TASKS_PER_CHILD = 10_000
CELERY_TIMEZONE = "UTC"
# Processes start in any order, after a power cut too, and wait for the broker as long as it takes.
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# A worker that loses the broker ends what it has in hand: it commits, and may run twice.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
# What beat sends while no worker is there is worth nothing when it is back: the next is on its way.
# By the clocks of two machines, and so no shorter.
PERIODIC_MESSAGE_LIFE = 60  # seconds


def periodic(task: str, seconds: float) -> dict[str, object]:
    return {"task": task, "schedule": seconds, "options": {"expires": PERIODIC_MESSAGE_LIFE}}


CELERY_BEAT_SCHEDULE = {
    # What a lost message or a broker that was away left behind
    "recalculate-waiting": periodic("aggregations.recalculate_waiting", 5.0),
    "hand-out": periodic("aggregations.hand_out", 5.0),
    "ingest-queued": periodic("profiles.ingest_queued", 5.0),
    "import-profile-batches": periodic("profiles.import_batches", 5.0),
    "take-up-runs": periodic("aggregations.take_up_runs", 30.0),
    # What the clock has overtaken
    "refresh-due": periodic("aggregations.refresh_due", 60.0),
    "compact-counts": periodic("aggregations.compact_counts", 60.0),
}

# What is told of the lag of recalculation
LAG_WARNING_SECONDS = float(os.environ.get("OMNEO_LAG_WARNING_SECONDS", 60))  # 0: never
METRICS = os.environ.get("OMNEO_METRICS", "") == "1"

# Counts of the API's throttle: one for all processes in Redis, else one for each
if cache_url := os.environ.get("OMNEO_CACHE_URL"):
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": cache_url,
        }
    }

# API
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["omneo.api.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["omneo.api.scopes.ScopePermission"],
    "DEFAULT_PARSER_CLASSES": ["omneo.api.parsing.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["omneo.api.envelope.EnvelopeRenderer"],
    "DEFAULT_PAGINATION_CLASS": "omneo.api.pagination.Pagination",
    "DEFAULT_FILTER_BACKENDS": [
        "omneo.api.filtering.BracketFilterBackend",
        "omneo.api.filtering.SortBackend",
    ],
    "DEFAULT_THROTTLE_CLASSES": ["omneo.api.throttling.TokenThrottle"],
    "DEFAULT_SCHEMA_CLASS": "omneo.api.schema.AutoSchema",
    "EXCEPTION_HANDLER": "omneo.api.errors.api_error",
    "URL_FORMAT_OVERRIDE": None,
    "COERCE_DECIMAL_TO_STRING": False,
    "TIME_FORMAT": "%H:%M",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
API_MAX_BODY_BYTES = int(os.environ.get("OMNEO_API_MAX_BODY_BYTES", 10 * 1024 * 1024))
API_REQUESTS_PER_MINUTE = int(os.environ.get("OMNEO_API_REQUESTS_PER_MINUTE", 6000))  # 0: any
KNOX_TOKEN_MODEL = "api.ApiToken"  # noqa: S105
MIGRATION_MODULES = {"knox": None}  # its own token's table, which ours stands in for
REST_KNOX = {"TOKEN_TTL": None, "AUTH_HEADER_PREFIX": "Bearer"}
SPECTACULAR_SETTINGS = {
    "TITLE": "Omneo",
    "VERSION": "3.0.0",
    "DESCRIPTION": "Profiles, what they buy, and what that says of them. One object comes as"
    ' `{"data": {...}}`, a list with `links` and `meta` beside it, and what went wrong as'
    ' `{"message": "...", "errors": {"field": ["..."]}}`. `PUT` and `PATCH` both update the fields'
    " that are given. Times are UTC, `YYYY-MM-DD HH:MM:SS`. A number is a JSON number, a text a"
    " text. A token has scopes, one to read and one to write for each resource: `profiles:read`.",
    "OAS_VERSION": "3.1.1",
    "SERVERS": [{"url": "/api/v3"}],
    "TAGS": [
        {"name": "aggregations", "description": "What a profile's purchases say of it; segments."},
        {"name": "profiles", "description": "Customers, and what hangs on each."},
        {"name": "transactions", "description": "Receipts: sales and refunds, with their items."},
        {"name": "locations", "description": "Stores, web shops, warehouses."},
        {"name": "statuses", "description": "The tiers of the loyalty programme."},
        {"name": "brands", "description": "Who makes what is sold."},
        {"name": "regions", "description": "A retailer's own groups of countries."},
        {"name": "currencies", "description": "Currencies and their rates."},
        {"name": "health", "description": "Whether the parts are up."},
    ],
    "SCHEMA_PATH_PREFIX": "/api/v3",
    "SCHEMA_PATH_PREFIX_TRIM": True,
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "PREPROCESSING_HOOKS": ["omneo.api.schema.without_slashes"],
    "POSTPROCESSING_HOOKS": [
        "omneo.api.schema.add_what_is_common",
        "omneo.api.schema_links.add_links",
    ],
    # The page comes with its own files: it asks no foreign host for anything.
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},
}
