"""What goes wrong is told in one line: the field, what is wrong with it, what to do; with the right exit code."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from orosync import bootstrap
from orosync.cli import program
from orosync.config import load_config
from orosync.core.ledger import Account


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("ORO_SECRET", "GRAPH_TOKEN", "DATABASE_URL", "SECRET_KEYS", "GRAPH_URL", "ORO_HOSTS", "ADMINS"):
        monkeypatch.delenv(f"OROSYNC_{name}", raising=False)
    monkeypatch.setenv("OROSYNC_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("OROSYNC_ALLOW_INSECURE_LOOPBACK", "yes")
    monkeypatch.setenv("OROSYNC_GRAPH_URL", "http://127.0.0.1:9/v1.0")  # nobody listens there
    monkeypatch.setenv("OROSYNC_ORO_SECRET", "a-key-that-is-nobody's")
    monkeypatch.setenv("OROSYNC_GRAPH_TOKEN", "a-token-that-is-nobody's")
    return None


def orosync(*arguments: str) -> Result:
    return CliRunner().invoke(program, list(arguments), prog_name="orosync")


ADD = ("accounts", "add", "anna", "--mailbox", "anna@example.com", "--orocrm-user", "anna", "--graph-auth", "token")
URL = ("--orocrm-url", "http://127.0.0.1:9")

TABLE = [
    pytest.param(("sync", "nobody"), 2, "nobody", "accounts list", id="unknown account"),
    pytest.param(("settings", "set", "sync_contact=no"), 2, "sync_contact", "sync_contacts", id="unknown setting"),
    pytest.param(("settings", "set", "crm_sync_interval=0"), 2, "crm_sync_interval", "1 to 86399", id="out of range"),
    pytest.param(("settings", "set", "enable_sync=no"), 2, "enable_sync", "user", id="not for this level"),
    pytest.param(("settings", "set", "sync_tasks"), 2, "sync_tasks", "KEY=VALUE", id="no value"),
    pytest.param((*ADD, "--orocrm-url", "crm.example.com"), 2, "orocrm_url", "https://", id="no address"),
    pytest.param((*ADD, "--orocrm-url", "http://crm.example.com"), 2, "orocrm_url", "https", id="plain http"),
    pytest.param((*ADD, "--orocrm-url", "https://u:p@crm.example.com"), 2, "orocrm_url", "Write", id="password in it"),
    pytest.param((*ADD[:3], "--mailbox", "anna", *ADD[5:], *URL), 2, "mailbox", "anna@example.com", id="no mailbox"),
    pytest.param(("accounts", "add", "a b", *ADD[3:], *URL), 2, "name", "letters", id="no name"),
    pytest.param((*ADD, *URL, "--orocrm-auth", "password"), 2, "orocrm_client", "--orocrm-client", id="no client"),
    pytest.param((*ADD, *URL, "--trust-certificate", "abc"), 2, "trust_certificate", "64 hex", id="no fingerprint"),
    pytest.param((*ADD, *URL, "--trust-certificate", "ab" * 32), 2, "trust_certificate", "ALLOW_SELF_SIGNED", id="pin"),
    pytest.param(("undo", "0000-nothing"), 2, "0000-nothing", "runs list", id="unknown run"),
    pytest.param(("conflicts", "resolve", "7", "--take", "oro"), 2, "7", "conflicts list", id="unknown conflict"),
    pytest.param(("sync", "anna", "--preview", "--approve", "abc"), 2, "--approve", "--preview", id="both"),
]


@pytest.mark.usefixtures("empty")
@pytest.mark.parametrize(("arguments", "code", "names", "remedy"), TABLE)
def test_wrong_use_names_the_field_and_the_remedy(
    arguments: tuple[str, ...], code: int, names: str, remedy: str
) -> None:
    result = orosync(*arguments)
    assert result.exit_code == code
    assert names in result.stderr
    assert remedy in result.stderr
    assert "Traceback" not in result.output
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.usefixtures("empty")
def test_an_account_is_added_without_a_network_and_an_unreachable_system_is_named_by_the_check() -> None:
    assert orosync(*ADD, *URL).exit_code == 0
    assert orosync(*ADD, *URL).exit_code == 2, "the name is taken"
    checked = orosync("accounts", "check", "anna")
    assert checked.exit_code == 1
    assert "127.0.0.1:9 cannot be reached" in checked.stdout
    assert "OROSYNC_GRAPH_URL" in checked.stdout
    assert "orocrm_url" in checked.stdout
    synced = orosync("sync", "anna")
    assert synced.exit_code == 1
    assert "cannot be reached" in synced.stderr
    assert "nobody's" not in checked.output + synced.output


@pytest.mark.usefixtures("empty")
def test_who_signs_in_on_orocrms_own_page_is_sent_there_and_no_secret_is_taken() -> None:
    refused = orosync(*ADD, *URL, "--orocrm-auth", "authorization-code")
    assert refused.exit_code == 2
    assert "authorization-code" in refused.stderr
    config = load_config()
    database = bootstrap.open_database(config)
    account = Account("anna", "anna@example.com", "http://127.0.0.1:9", "anna", "authorization-code", "token")
    number = database.accounts.add(account)
    told = orosync("accounts", "sign-in", "anna")
    assert told.exit_code == 2
    assert "pane" in told.stderr
    assert database.secrets(number).names() == []
    database.close()


@pytest.mark.usefixtures("empty")
def test_a_disabled_account_is_left_alone_until_it_is_enabled() -> None:
    orosync(*ADD, *URL)
    assert orosync("accounts", "disable", "anna").exit_code == 0
    refused = orosync("sync", "anna")
    assert (refused.exit_code, "accounts enable anna" in refused.stderr) == (2, True)
    assert orosync("accounts", "enable", "anna").exit_code == 0
    assert orosync("sync", "anna").exit_code == 1, "now it tries, and nobody listens"


@pytest.mark.usefixtures("empty")
def test_removing_needs_a_yes_when_nobody_can_be_asked() -> None:
    orosync(*ADD, *URL)
    assert orosync("accounts", "remove", "anna").exit_code == 2
    assert orosync("accounts", "remove", "anna", "--yes").exit_code == 0
    assert "No accounts yet" in orosync("accounts", "list").stdout


@pytest.mark.usefixtures("empty")
def test_a_missing_secret_is_a_hint_when_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OROSYNC_ORO_SECRET")
    result = orosync(*ADD, *URL)
    assert result.exit_code == 2
    assert "OROSYNC_ORO_SECRET" in result.stderr
    assert "No accounts yet" in orosync("accounts", "list").stdout, "nothing half-made stays behind"


@pytest.mark.usefixtures("empty")
def test_a_broken_configuration_names_every_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OROSYNC_LOG_LEVEL", "loud")
    monkeypatch.setenv("OROSYNC_CLIENT_ID", "not-a-guid")
    result = orosync("accounts", "list")
    assert result.exit_code == 2
    assert "OROSYNC_LOG_LEVEL" in result.stderr
    assert "OROSYNC_CLIENT_ID" in result.stderr
    assert orosync("doctor").exit_code == 1


@pytest.mark.usefixtures("empty")
def test_settings_are_set_for_the_system_or_one_account_and_unset_again() -> None:
    orosync(*ADD, *URL)
    assert orosync("settings", "set", "sync_tasks=no", "event_window=10,20").exit_code == 0
    assert orosync("settings", "set", "--account", "anna", "sync_tasks=yes").exit_code == 0
    shown = orosync("settings", "show", "--account", "anna", "sync_tasks", "event_window").stdout
    assert "sync_tasks\tyes\tuser" in shown
    assert "event_window\t10, 20\tsystem" in shown
    assert orosync("settings", "unset", "--account", "anna", "sync_tasks").exit_code == 0
    assert "sync_tasks\tno\tsystem" in orosync("settings", "show", "--account", "anna", "sync_tasks").stdout


@pytest.mark.usefixtures("empty")
def test_of_several_settings_one_wrong_one_keeps_the_others_from_being_set() -> None:
    assert orosync("settings", "set", "sync_tasks=no", "sync_events=perhaps").exit_code == 2
    assert "sync_tasks\tyes\tdefault" in orosync("settings", "show", "sync_tasks").stdout


@pytest.mark.processes
def test_help_answers_without_loading_the_engine() -> None:
    code = (
        "import sys\nfrom orosync.cli import program\n"
        "try:\n    program(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'sqlalchemy', 'flask', 'requests', 'msal', 'rich'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "accounts" in done.stdout
