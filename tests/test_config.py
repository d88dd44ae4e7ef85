"""The environment: what is read from it, what is refused, and where keys come from."""

import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from orosync import config as subject
from orosync.config import (
    Config,
    check_listed_oro_url,
    check_oro_url,
    check_url,
    default_data_dir,
    graph_token,
    load_config,
    oro_secret,
    secret_keys,
    sign_in_problems,
)
from orosync.errors import BadInput, ConfigurationError

KEY, OLDER_KEY = Fernet.generate_key().decode(), Fernet.generate_key().decode()
CLIENT = "11111111-2222-4333-8444-555555555555"
PANE = "22222222-3333-4444-8555-666666666666"
TENANT, PARTNER = "aaaaaaaa-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000002"


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("OROSYNC_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OROSYNC_DATA_DIR", str(tmp_path / "data"))


def config_of(tmp_path: Path, **given: Any) -> Config:
    return Config(data_dir=tmp_path / "data", database_url="sqlite://", **given)


def problems(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> list[str]:
    for name, value in variables.items():
        monkeypatch.setenv(f"OROSYNC_{name}", value)
    with pytest.raises(ConfigurationError) as caught:
        load_config()
    return caught.value.problems


def test_an_empty_environment_is_enough_and_nothing_is_created(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert load_config() == Config(data_dir=data, database_url=f"sqlite:///{data}/orosync.sqlite3")
    assert load_config().graph_url == "https://graph.microsoft.com/v1.0"
    assert not data.exists()


def test_without_a_data_folder_the_users_own_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("OROSYNC_DATA_DIR")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    assert load_config().data_dir == default_data_dir() == tmp_path / "xdg" / "orosync"
    for unusable in ("", "relative"):
        monkeypatch.setenv("XDG_DATA_HOME", unusable)
        assert load_config().data_dir == tmp_path / ".local" / "share" / "orosync"


def test_every_variable_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    certificate = tmp_path / "app.pem"
    certificate.write_text("-----BEGIN PRIVATE KEY-----")
    given = {
        "DATABASE_URL": "postgresql://sync:pa%40ss@db/orosync",
        "SECRET_KEYS": f"{KEY}, {OLDER_KEY}",
        "PUBLIC_URL": "https://Sync.example.com/",
        "TENANT_ID": "Contoso.onmicrosoft.com",
        "CLIENT_ID": CLIENT,
        "CLIENT_CERTIFICATE": str(certificate),
        "PANE_CLIENT_ID": PANE,
        "ALLOWED_TENANTS": f"{TENANT}, {PARTNER.upper()}",
        "AUTHORITY": "http://127.0.0.1:8081",
        "GRAPH_URL": "http://localhost:8081/v1.0/",
        "ORO_HOSTS": "crm.example.com, *.Example.org,127.0.0.1:8082,[::1]:8082",
        "ORO_OAUTH_CLIENT_ID": "sync-application",
        "ORO_OAUTH_CLIENT_SECRET": "secret of the application",
        "ADMINS": f"{CLIENT}, Orosync.Admin",
        "BROKER_URL": "redis://queue/0",
        "ALLOW_INSECURE_LOOPBACK": "yes",
        "ALLOW_SELF_SIGNED": "true",
        "ALLOW_PRIVATE_ADDRESSES": "1",
        "PROXIES": "2",
        "FRAME_ANCESTORS": "https://Outlook.example.com, http://localhost:3000",
        "RUNS_AT_ONCE": "8",
        "HISTORY_DAYS": "30",
        "PUSH": "no",
        "LOG_LEVEL": "DEBUG",
    }
    for name, value in given.items():
        monkeypatch.setenv(f"OROSYNC_{name}", value)
    assert load_config() == Config(
        data_dir=tmp_path / "data",
        database_url="postgresql+psycopg://sync:pa%40ss@db/orosync",
        secret_keys=(KEY, OLDER_KEY),
        public_url="https://sync.example.com",
        tenant_id="contoso.onmicrosoft.com",
        client_id=CLIENT,
        client_certificate=certificate,
        pane_client_id=PANE,
        allowed_tenants=(TENANT, PARTNER),
        authority="http://127.0.0.1:8081",
        graph_url="http://localhost:8081/v1.0",
        oro_hosts=("crm.example.com", "*.example.org", "127.0.0.1:8082", "[::1]:8082"),
        oro_oauth_client_id="sync-application",
        oro_oauth_client_secret="secret of the application",
        admins=(CLIENT, "Orosync.Admin"),
        broker_url="redis://queue/0",
        allow_insecure_loopback=True,
        allow_self_signed=True,
        allow_private_addresses=True,
        proxies=2,
        frame_ancestors=("https://outlook.example.com", "http://localhost:3000"),
        runs_at_once=8,
        history_days=30,
        push=False,
        log_level="debug",
    )


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = load_config()
    monkeypatch.setenv("OROSYNC_DATABASE_URL", usual.database_url)
    assert load_config() == usual
    for name in ("SECRET_KEYS", "GRAPH_URL", "ALLOW_SELF_SIGNED", "LOG_LEVEL", "CLIENT_SECRET", "DATABASE_URL"):
        monkeypatch.setenv(f"OROSYNC_{name}", " ")
    assert load_config() == usual


def test_a_value_can_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY + "\n")
    monkeypatch.setenv("OROSYNC_SECRET_KEYS_FILE", str(file))
    assert load_config().secret_keys == (KEY,)


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("DATABASE_URL", "orosync.db", "Write sqlite:////path"),
        ("DATABASE_URL", "sqlite+aiosqlite:///file", "sqlite:////path"),
        ("DATABASE_URL", "mysql://host/name", "postgresql+psycopg://"),
        ("DATABASE_URL", "postgresql+asyncpg://host/name", "postgresql+psycopg://"),
        ("DATABASE_URL", "postgresql://host:port/name", "postgresql+psycopg://"),
        ("SECRET_KEYS", "short", "orosync keys new"),
        ("PUBLIC_URL", "sync.example.com", "https://crm.example.com"),
        ("TENANT_ID", "my tenant", "the directory id"),
        ("CLIENT_ID", "my app", "from Entra ID"),
        ("PANE_CLIENT_ID", "my pane", "from Entra ID"),
        ("ALLOWED_TENANTS", f"{CLIENT}, contoso.com", "no domains"),
        ("CLIENT_CERTIFICATE", "/nowhere/app.pem", "Name a PEM file"),
        ("AUTHORITY", "http://login.example.com", "Use https"),
        ("GRAPH_URL", "http://127.0.0.1:8081", "ALLOW_INSECURE_LOOPBACK=yes"),
        ("ORO_HOSTS", "https://crm.example.com", "Write crm.example.com"),
        ("ORO_HOSTS", "crm.example.com:99999", "Write crm.example.com"),
        ("ORO_HOSTS", "crm.*.com", "*.example.com"),
        ("BROKER_URL", "localhost:6379", "redis://"),
        ("ALLOW_INSECURE_LOOPBACK", "maybe", "Write yes or no"),
        ("ALLOW_SELF_SIGNED", "2", "Write yes or no"),
        ("PROXIES", "six", "from 0 to 5"),
        ("PROXIES", "6", "from 0 to 5"),
        ("RUNS_AT_ONCE", "0", "from 1 to 64"),
        ("RUNS_AT_ONCE", "65", "from 1 to 64"),
        ("HISTORY_DAYS", "1", "from 2 to 3650"),
        ("HISTORY_DAYS", "a month", "from 2 to 3650"),
        ("FRAME_ANCESTORS", "outlook.example.com", "without a path"),
        ("FRAME_ANCESTORS", "https://outlook.example.com/mail", "without a path"),
        ("FRAME_ANCESTORS", "http://outlook.example.com", "Write https://"),
        ("LOG_LEVEL", "loud", "debug, info, warning, error, critical"),
        ("SECRET_KEYS_FILE", "/nowhere/key", "must be a readable file path"),
    ],
)
def test_a_bad_value_is_named_with_its_remedy(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, remedy: str
) -> None:
    found = problems(monkeypatch, {"SECRET_KEYS": KEY, "TENANT_ID": "contoso.com", "CLIENT_ID": CLIENT, name: value})
    assert len(found) == 1
    assert found[0].startswith(f"OROSYNC_{name.removesuffix('_FILE')}: ")
    assert remedy in found[0]


def test_a_data_folder_that_is_a_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    assert "Name a folder" in problems(monkeypatch, {"DATA_DIR": str(file)})[0]


def test_all_problems_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    found = problems(monkeypatch, {"GRAPH_URL": "graph", "LOG_LEVEL": "loud", "ALLOW_SELF_SIGNED": "so", "ADMINS": "x"})
    assert [line.split(":")[0] for line in found] == [
        "OROSYNC_GRAPH_URL",
        "OROSYNC_ALLOW_SELF_SIGNED",
        "OROSYNC_LOG_LEVEL",
    ]


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"CLIENT_SECRET": "s"}, ["OROSYNC_CLIENT_ID"]),
        ({"PANE_CLIENT_ID": PANE}, ["OROSYNC_CLIENT_ID"]),
        ({"CLIENT_ID": CLIENT}, ["OROSYNC_TENANT_ID"]),
        ({"ORO_OAUTH_CLIENT_SECRET": "s"}, ["OROSYNC_ORO_OAUTH_CLIENT_ID"]),
        ({"CLIENT_ID": CLIENT, "TENANT_ID": "?"}, ["OROSYNC_TENANT_ID"]),
        ({"CLIENT_SECRET": "s", "CLIENT_CERTIFICATE": "/nowhere", "CLIENT_ID": CLIENT, "TENANT_ID": "t"},
         ["OROSYNC_CLIENT_CERTIFICATE", "OROSYNC_CLIENT_SECRET, OROSYNC_CLIENT_CERTIFICATE"]),
        ({"DATABASE_URL": "postgresql://db/orosync"}, ["OROSYNC_SECRET_KEYS"]),
        ({"BROKER_URL": "redis://queue"}, ["OROSYNC_SECRET_KEYS"]),
        ({"BROKER_URL": "redis://queue", "SECRET_KEYS": "bad"}, ["OROSYNC_SECRET_KEYS"]),
    ],
)  # fmt: skip
def test_variables_that_need_or_exclude_each_other_are_named_once(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], named: list[str]
) -> None:
    assert [line.split(":")[0] for line in problems(monkeypatch, given)] == named


def test_the_pane_uses_the_same_registration_and_tenant_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OROSYNC_CLIENT_ID", CLIENT)
    monkeypatch.setenv("OROSYNC_TENANT_ID", TENANT.upper())
    config = load_config()
    assert (config.pane_client_id, config.tenant_id, config.allowed_tenants) == (CLIENT, TENANT, (TENANT,))
    monkeypatch.setenv("OROSYNC_TENANT_ID", "contoso.com")
    assert load_config().allowed_tenants == (), "tokens name no domains"


@pytest.mark.parametrize(
    ("lacking", "named", "remedy"),
    [
        ({"tenant_id": ""}, "OROSYNC_TENANT_ID", "directory id"),
        ({"tenant_id": "contoso.com"}, "OROSYNC_TENANT_ID", "contoso.com is a name"),
        ({"client_id": ""}, "OROSYNC_CLIENT_ID", "application id"),
        ({"client_secret": ""}, "OROSYNC_CLIENT_SECRET", "OROSYNC_CLIENT_CERTIFICATE"),
        ({"public_url": ""}, "OROSYNC_PUBLIC_URL", "https://sync.example.com"),
        ({"public_url": "https://example.com/sync"}, "OROSYNC_PUBLIC_URL", "at the root of its host"),
    ],
)
def test_what_the_sign_in_of_people_needs_is_named(
    tmp_path: Path, lacking: dict[str, str], named: str, remedy: str
) -> None:
    whole = {"tenant_id": TENANT, "client_id": CLIENT, "client_secret": "s", "public_url": "https://sync.example.com"}
    assert sign_in_problems(config_of(tmp_path, **whole)) == []
    found = sign_in_problems(config_of(tmp_path, **(whole | lacking)))
    assert len(found) == 1
    assert found[0].startswith(named)
    assert remedy in found[0]


def test_no_secret_is_shown_in_the_configuration_or_in_its_problems(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shown = repr(
        Config(
            data_dir=tmp_path,
            database_url="postgresql+psycopg://sync:hunter2@db/orosync",
            secret_keys=(KEY,),
            client_secret="hunter2",
            oro_oauth_client_secret="hunter2",
            broker_url="amqp://queue:hunter2@host/",
        )
    )
    assert "hunter2" not in shown
    assert KEY not in shown
    assert "sync:***@db/orosync" in shown
    assert "client_secret=***" in shown
    assert "hunter2" not in repr(config_of(tmp_path, broker_url="hunter2"))

    given = {
        "DATABASE_URL": "mysql://me:hunter2@host/name",
        "SECRET_KEYS": "hunter2",
        "PUBLIC_URL": "https://me:hunter2@host",
        "AUTHORITY": "me:hunter2@host",
        "GRAPH_URL": "https://me:hunter2@host:port",
        "BROKER_URL": "me:hunter2@host",
    }
    found = problems(monkeypatch, given)
    assert len(found) == len(given)
    assert "hunter2" not in " ".join(found)


def test_the_secrets_of_a_command_are_read_when_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert oro_secret() is None
    assert graph_token() is None
    file = tmp_path / "token"
    file.write_text("eyJ0\n")
    monkeypatch.setenv("OROSYNC_ORO_SECRET", "key")
    monkeypatch.setenv("OROSYNC_GRAPH_TOKEN_FILE", str(file))
    assert oro_secret() == "key"
    assert graph_token() == "eyJ0"
    file.unlink()
    with pytest.raises(ConfigurationError, match="OROSYNC_GRAPH_TOKEN_FILE"):
        graph_token()


# --- keys ----------------------------------------------------------------------------------------------------------


def test_given_keys_are_used_and_no_file_is_made(tmp_path: Path) -> None:
    assert secret_keys(config_of(tmp_path, secret_keys=(KEY, OLDER_KEY))) == (KEY, OLDER_KEY)
    assert not (tmp_path / "data").exists()


def test_without_keys_a_file_is_made_once_that_only_its_owner_can_read(tmp_path: Path) -> None:
    first = secret_keys(config_of(tmp_path))
    assert len(first) == 1
    Fernet(first[0])
    assert secret_keys(config_of(tmp_path)) == first
    files = list((tmp_path / "data").iterdir())
    assert [file.name for file in files] == ["secret.key"]
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600


def test_processes_that_start_together_agree_on_one_key(tmp_path: Path) -> None:
    barrier = threading.Barrier(8)
    found: list[tuple[str, ...]] = []

    def start() -> None:
        barrier.wait()
        found.append(secret_keys(config_of(tmp_path)))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert [file.name for file in (tmp_path / "data").iterdir()] == ["secret.key"]


def key_file(tmp_path: Path, content: bytes, mode: int = 0o600) -> Config:
    config = config_of(tmp_path)
    config.data_dir.mkdir()
    path = config.data_dir / "secret.key"
    path.write_bytes(content)
    path.chmod(mode)
    return config


def test_the_key_file_may_hold_older_keys_after_the_newest(tmp_path: Path) -> None:
    assert secret_keys(key_file(tmp_path, f"{KEY}\n{OLDER_KEY}\n".encode())) == (KEY, OLDER_KEY)


@pytest.mark.parametrize(
    ("content", "mode", "remedy"),
    [
        (KEY.encode(), 0o640, "chmod 600"),
        (b"", 0o600, "write a new key"),
        (b"hunter2", 0o600, "Make one"),
        (b"\xff\xfe", 0o600, "it is not text"),
    ],
    ids=["readable by a group", "empty", "no key", "no text"],
)
def test_a_key_file_that_cannot_be_trusted_is_refused(tmp_path: Path, content: bytes, mode: int, remedy: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        secret_keys(key_file(tmp_path, content, mode))
    assert remedy in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(ConfigurationError, match=r"OROSYNC_SECRET_KEYS is not set and .*secret\.key cannot be used"):
        secret_keys(config_of(tmp_path))


# --- addresses -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://crm.example.com", "https://crm.example.com"),
        ("https://CRM.Example.com/Admin/", "https://crm.example.com/Admin"),
        ("HTTPS://crm.example.com:8443/", "https://crm.example.com:8443"),
        ("https://[2001:db8::1]/", "https://[2001:db8::1]"),
    ],
)
def test_an_address_is_returned_without_trailing_slash(tmp_path: Path, url: str, normal: str) -> None:
    assert check_url(url, "orocrm_url", config_of(tmp_path)) == normal


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8080", "[::1]:8080", "LOCALHOST"])
def test_plain_http_works_to_this_machine_alone_and_only_where_allowed(tmp_path: Path, host: str) -> None:
    allowed = config_of(tmp_path, allow_insecure_loopback=True)
    assert check_url(f"http://{host}", "orocrm_url", allowed) == f"http://{host.lower()}"
    with pytest.raises(BadInput, match="ALLOW_INSECURE_LOOPBACK"):
        check_url(f"http://{host}", "orocrm_url", config_of(tmp_path))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "crm.example.com",
        "ftp://crm.example.com",
        "https://",
        "https:///admin",
        "https://crm.example.com:port",
        "https://[crm",
        "https://user:hunter2@crm.example.com",
        "https://crm.example.com?x=1",
        "https://crm.example.com/#top",
        "https://crm.example.com/a b",
        "https://crm.example.com\\@evil.example",
        "https://crm.example.com\n",
        "http://crm.example.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://127.0.0.1@evil.example",
        "http://10.0.0.1",
    ],
)
def test_other_addresses_are_refused_naming_field_and_remedy(tmp_path: Path, url: str) -> None:
    with pytest.raises(BadInput) as caught:
        check_url(url, "orocrm_url", config_of(tmp_path, allow_insecure_loopback=True))
    assert caught.value.field == "orocrm_url"
    assert caught.value.message.startswith("orocrm_url: ")
    assert caught.value.remedy
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("hosts", "url", "allowed"),
    [
        ((), "https://anything.example", True),
        (("crm.example.com",), "https://CRM.example.com/admin", True),
        (("crm.example.com",), "https://crm.example.com:8443", True),
        (("crm.example.com",), "https://crm.example.com.evil.example", False),
        (("crm.example.com",), "https://other.example.com", False),
        (("other.example", "crm.example.com"), "https://crm.example.com", True),
        (("crm.example.com:8443",), "https://crm.example.com:8443", True),
        (("crm.example.com:443",), "https://crm.example.com", True),
        (("crm.example.com:8443",), "https://crm.example.com", False),
        (("127.0.0.1:80",), "http://127.0.0.1", True),
        (("[::1]:8082",), "http://[::1]:8082", True),
        (("*.example.com",), "https://a.crm.example.com", True),
        (("*.example.com",), "https://example.com", False),
        (("*.example.com",), "https://evilexample.com", False),
    ],
)
def test_an_orocrm_must_be_among_the_allowed_hosts_if_there_is_a_list(
    tmp_path: Path, hosts: tuple[str, ...], url: str, allowed: bool
) -> None:
    config = config_of(tmp_path, oro_hosts=hosts, allow_insecure_loopback=True)
    if allowed:
        assert check_oro_url(url, "orocrm_url", config) == check_url(url, "orocrm_url", config)
    else:
        with pytest.raises(BadInput, match="OROSYNC_ORO_HOSTS") as caught:
            check_oro_url(url, "orocrm_url", config)
        assert hosts[0] in caught.value.remedy


def test_an_orocrm_named_in_the_pane_needs_a_list(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="OROSYNC_ORO_HOSTS") as caught:
        check_listed_oro_url("https://crm.example.com", "orocrm_url", config_of(tmp_path))
    assert caught.value.field == "orocrm_url"
    listed = config_of(tmp_path, oro_hosts=("crm.example.com",))
    assert check_listed_oro_url("https://crm.example.com/", "orocrm_url", listed) == "https://crm.example.com"
    with pytest.raises(BadInput, match="not among"):
        check_listed_oro_url("https://other.example.com", "orocrm_url", listed)


def test_every_variable_of_the_configuration_has_its_field() -> None:
    assert {each.name for each in subject.fields(Config)} == {
        "data_dir", "database_url", "secret_keys", "public_url", "tenant_id", "client_id", "client_secret",
        "client_certificate", "pane_client_id", "allowed_tenants", "authority", "graph_url", "oro_hosts", "admins",
        "broker_url", "oro_oauth_client_id", "oro_oauth_client_secret",
        "allow_insecure_loopback", "allow_self_signed", "allow_private_addresses", "frame_ancestors", "log_level",
        "proxies", "runs_at_once", "history_days", "push", "metrics_token",
    }  # fmt: skip
