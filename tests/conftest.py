"""What every suite shares: recorded contracts, a PostgreSQL database, a browser, how hard properties are tried.

Where the contract folder, the server or the browser is missing, the tests that need it are skipped; in the gate
(`CI=true`) they fail.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest
import sqlalchemy as sa
import structlog
from hypothesis import HealthCheck, settings
from tests.log_watch import LogWatch

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytest_plugins = ["tests.proof.tally"]  # counts what the proofs covered, over all processes

# A shell's background job starts deaf to Ctrl-C, and so would everything that a test starts and stops that way.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

REPOSITORY = Path(__file__).resolve().parent.parent
POSTGRESQL = "postgresql+psycopg://postgres@127.0.0.1:5432/test"
IN_GATE = os.environ.get("CI", "").lower() in {"1", "true", "yes"}

# No deadlines: cores are shared, and a slow example is no wrong one.
settings.register_profile("default", max_examples=50, deadline=None)
settings.register_profile("gate", max_examples=60, deadline=None, derandomize=True, print_blob=True)
settings.register_profile("thorough", max_examples=5_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("gate" if IN_GATE else "default"))


def _missing(what: str) -> NoReturn:
    if IN_GATE:
        pytest.fail(what, pytrace=False)
    pytest.skip(what)


@pytest.fixture(scope="session")
def contracts() -> Path:
    """The folder of recorded contracts (`graph/`, `orocrm-5.1/`, ...)."""
    folder = Path(os.environ.get("OROSYNC_CONTRACTS") or REPOSITORY.parent / "shared" / "contracts")
    if not folder.is_dir():
        _missing(f"no recorded contracts at {folder}: set OROSYNC_CONTRACTS to their folder")
    return folder.resolve()


@contextmanager
def _postgresql(name: str) -> Iterator[str]:
    """The URL of an empty PostgreSQL database that only this process uses; dropped at the end."""
    server = sa.make_url(os.environ.get("OROSYNC_TEST_POSTGRESQL") or POSTGRESQL)
    name = f"orosync_test_{name}_{os.getpid()}"
    admin = sa.create_engine(
        server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool, connect_args={"connect_timeout": 5}
    )
    try:
        with admin.connect() as connection:
            connection.execute(sa.text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
            connection.execute(sa.text(f'CREATE DATABASE "{name}" TEMPLATE template0'))
    except sa.exc.OperationalError as error:
        _missing(f"no PostgreSQL at {server!r}: set OROSYNC_TEST_POSTGRESQL to a server's URL ({error.orig})")
    try:
        yield server.set(database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            connection.execute(sa.text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


@pytest.fixture(scope="session")
def postgresql_url(worker_id: str) -> Iterator[str]:
    """One database for all tests of this process: who uses it empties its tables first."""
    with _postgresql(worker_id) as url:
        yield url


@pytest.fixture
def bare_postgresql_url(worker_id: str) -> Iterator[str]:
    """A database without any table, for one test."""
    with _postgresql(f"{worker_id}_bare") as url:
        yield url


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's browser, one for all tests of this process: a second `sync_playwright` beside it would not start."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        _missing("no browser: install the package chromium")
    from playwright.sync_api import sync_playwright
    from tests.web.loopback_certificate import trusted_key

    switches = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    # Not `ignore_https_errors`: under it each connection is refused first, and its request tries again, at most 32
    # times. The most urgent one is handed the refused connections of all others: now and then the pane's style sheet
    # did not come (ERR_TOO_MANY_RETRIES).
    switches.append(f"--ignore-certificate-errors-spki-list={trusted_key()}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=switches)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def log_watch() -> Iterator[LogWatch]:
    """Hears all that our loggers say in this process."""
    with pytest.MonkeyPatch.context() as patch:
        watch = LogWatch()
        watch.install(patch)
        yield watch


@pytest.fixture(autouse=True)
def nothing_of_records_is_logged(log_watch: LogWatch) -> Iterator[None]:
    """No key, token, name, address or subject of a simulated system may be in any line, whatever a test is about."""
    log_watch.begin()
    yield
    leaks = log_watch.leaks()
    assert not leaks, "logged what must not be logged: " + "\n".join(leaks[:5])


@pytest.fixture(autouse=True)
def logging_as_it_was(log_watch: LogWatch) -> Iterator[None]:  # after the watch, which configures logging
    """What a command configures in this process is put back, so that the next test hears every logger."""
    root, told_by = logging.getLogger(), structlog.get_config()
    before = root.level, list(root.handlers)
    names = [name for name in logging.Logger.manager.loggerDict if name.split(".")[0] == "orosync"]
    ours = [logging.getLogger(name) for name in {"orosync", *names}]
    state = [(each, each.level, each.propagate, each.disabled) for each in ours]
    yield
    root.setLevel(before[0])
    root.handlers[:] = before[1]
    for logger, level, propagate, disabled in state:
        logger.setLevel(level)
        logger.propagate, logger.disabled = propagate, disabled
    structlog.configure(**told_by)
