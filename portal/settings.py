"""What differs between installations, read once from the environment.

Always true here: a secret has no default outside the demo, and every mistake names its variable and the remedy.
"""

import hashlib
import hmac
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from portal.errors import SettingsError

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """One installation. Build it with `read_settings`."""

    policy_file: Path
    public_url: str
    """Where people reach the portal, no trailing slash, e.g. https://privacy.casagbic.example."""
    secret_key: str
    data_folder: Path
    database_url: str | None
    """None: the embedded PostgreSQL in `data_folder` is used."""
    host: str
    port: int
    metrics_port: int
    """0 turns the metrics listener off."""
    trusted_proxies: tuple[str, ...]
    resend_api_key: str
    resend_api_url: str
    resend_webhook_secret: str
    mail_from: str
    """The address mail is sent from; empty: taken from the policy file."""
    stripe_api_url: str
    parcel_bucket: str
    """S3 bucket for parcels; empty: a folder in `data_folder`."""
    parcel_s3_endpoint: str
    parcel_days: int
    environment: Mapping[str, str]
    """The rest, for the variables that the policy file names (source URLs, client secrets)."""

    def __repr__(self) -> str:
        """Keep secrets out of tracebacks and logs."""
        return f"Settings(policy_file={str(self.policy_file)!r}, public_url={self.public_url!r})"

    @property
    def secure(self) -> bool:
        """True when people reach us over HTTPS: cookies are then Secure and `__Host-` prefixed."""
        return self.public_url.startswith("https://")

    @property
    def database_dsn(self) -> str:
        """The DSN of our own database, embedded or not."""
        return self.database_url or embedded_dsn(self.data_folder)

    def key(self, purpose: str) -> bytes:
        """Derive a 32-byte key for one purpose from the secret key, so that no key has two uses."""
        return hmac.digest(self.secret_key.encode(), f"habeas:{purpose}".encode(), "sha256")

    def variable(self, name: str, *, needed_by: str) -> str:
        """Return an environment variable that the policy file names.

        Raises:
            SettingsError: when it is empty or missing; says who needs it.
        """
        value = self.environment.get(name, "")
        if not value:
            raise SettingsError(f"{name} is not set. {needed_by} needs it: put it into the environment.")
        return value


def socket_folder(data_folder: Path) -> Path:
    """Return a short private path for the embedded server's unix socket (a socket path may hold 107 bytes)."""
    name = hashlib.sha256(str(data_folder.resolve()).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"habeas-{name}"


def embedded_dsn(data_folder: Path) -> str:
    """Return the DSN of the embedded PostgreSQL that keeps its files in `data_folder`."""
    return f"postgresql://habeas@/habeas?host={socket_folder(data_folder)}"


def database_dsn(environment: Mapping[str, str]) -> str:
    """Return the DSN without reading the other settings: piccolo's own commands need no more."""
    return environment.get("DATABASE_URL") or embedded_dsn(Path(environment.get("HABEAS_DATA", ".data")))


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read every setting from `environment` (default: the process environment).

    Raises:
        SettingsError: naming every variable that is missing or wrong, and what to write.
    """
    env = dict(os.environ if environment is None else environment)
    mistakes: list[str] = []

    def number(name: str, default: int) -> int:
        text = env.get(name, str(default))
        if text.isdecimal():
            return int(text)
        mistakes.append(f"{name} must be a whole number, not {text!r}.")
        return default

    settings = Settings(
        policy_file=Path(env.get("HABEAS_POLICY", "policies/casagbic.toml")),
        public_url=env.get("HABEAS_PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/"),
        secret_key=env.get("HABEAS_SECRET_KEY", ""),
        data_folder=Path(env.get("HABEAS_DATA", ".data")),
        database_url=env.get("DATABASE_URL") or None,
        host=env.get("HABEAS_HOST", "127.0.0.1"),
        port=number("HABEAS_PORT", 8000),
        metrics_port=number("HABEAS_METRICS_PORT", 0),
        trusted_proxies=tuple(filter(None, (p.strip() for p in env.get("HABEAS_TRUSTED_PROXIES", "").split(",")))),
        resend_api_key=env.get("RESEND_API_KEY", ""),
        resend_api_url=env.get("RESEND_API_URL", "https://api.resend.com"),
        resend_webhook_secret=env.get("RESEND_WEBHOOK_SECRET", ""),
        mail_from=env.get("HABEAS_MAIL_FROM", ""),
        stripe_api_url=env.get("STRIPE_API_URL", ""),
        parcel_bucket=env.get("HABEAS_PARCEL_BUCKET", ""),
        parcel_s3_endpoint=env.get("HABEAS_PARCEL_S3_ENDPOINT", ""),
        parcel_days=number("HABEAS_PARCEL_DAYS", 7),
        environment=env,
    )
    mistakes += _mistakes(settings)
    if mistakes:
        raise SettingsError("\n".join(mistakes))
    return settings


def _mistakes(settings: Settings) -> list[str]:
    found: list[str] = []
    if len(settings.secret_key) < 32:
        found.append(
            "HABEAS_SECRET_KEY must hold at least 32 characters. Make one with: "
            'python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
        )
    address = urlsplit(settings.public_url)
    if address.scheme not in {"http", "https"} or not address.hostname:
        found.append("HABEAS_PUBLIC_URL must be a full address such as https://privacy.example.com.")
    elif address.scheme == "http" and address.hostname not in LOOPBACK:
        found.append("HABEAS_PUBLIC_URL must start with https:// unless it is this machine itself.")
    return found
