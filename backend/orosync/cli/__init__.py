"""Starts everything by hand: the command `orosync`.

Each command lives in its own module and is imported only when it is called, so that `orosync --help` answers at once.
What a command does is asked of `bootstrap` and `sync`; here are arguments, output and exit codes.
"""

from __future__ import annotations

import click

from orosync import __version__
from orosync.cli.lazy import LazyGroup

_COMMANDS = {
    "accounts": ("orosync.cli.accounts:accounts", "Connect mailboxes with OroCRM users, and look after them."),
    "conflicts": ("orosync.cli.troubles:conflicts", "Fields that were changed differently on both sides."),
    "db": ("orosync.cli.database:db", "The database: its schema, its backup, what is forgotten in time."),
    "demo": ("orosync.cli.demo:demo", "A simulated OroCRM and mailbox with people in them, kept in step."),
    "dispatcher": ("orosync.cli.worker:dispatcher", "Hand out what is due to the workers of a cluster."),
    "doctor": ("orosync.cli.doctor:doctor", "Whether configuration, database, keys and accounts are well."),
    "explain": ("orosync.cli.explain:explain", "Why a record is, or is not, synchronised."),
    "health": ("orosync.cli.health:health", "Whether a process is alive, for a container's health check."),
    "keys": ("orosync.cli.keys:keys", "The keys that secrets in the database are encrypted with."),
    "manifest": ("orosync.cli.manifest:manifest", "The add-in's manifest for your installation."),
    "quarantine": ("orosync.cli.troubles:quarantine", "Records that fail by themselves."),
    "resync": ("orosync.cli.syncing:resync", "Compare everything again, as in a first sync."),
    "runs": ("orosync.cli.history:runs", "What was done, run by run."),
    "serve": ("orosync.cli.serve:serve", "Serve the task pane, its API and the manifest."),
    "settings": ("orosync.cli.settings:settings", "Show and change how records are synchronised."),
    "sync": ("orosync.cli.syncing:sync", "Sync an account now, or show what would be done."),
    "undo": ("orosync.cli.history:undo", "Take a run back."),
    "worker": ("orosync.cli.worker:worker", "Work on accounts that the dispatcher hands out."),
}

_CODES = (
    "Exit codes: 0 done, 1 failed, 2 wrong use or bad input, 3 held until you approve it, 4 the user must sign in, "
    "5 done with records in quarantine."
)


@click.group(
    cls=LazyGroup, commands_at=_COMMANDS, epilog=_CODES, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="orosync")
def program() -> None:
    """OroCRM for Outlook: contacts, tasks and calendar events in step between OroCRM and a Microsoft 365 mailbox."""


def main() -> None:
    """The console script."""
    program(prog_name="orosync")
