"""A group that imports a command's module when the command is called, and turns our errors into one line.

Imports nothing of the product but the tree of errors.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from typing import Any

import click

from orosync.cli.exits import FAILED, exit_code_of, lines_of
from orosync.errors import OrosyncError


class LazyGroup(click.Group):
    """commands_at: name -> ("module:attribute", one line for the list of commands)."""

    def __init__(self, *args: Any, commands_at: Mapping[str, tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._commands_at = commands_at

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted(self._commands_at)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in self._commands_at:
            return None
        module, _, attribute = self._commands_at[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)  # noqa: S101 - the table above is ours
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As click does it, without importing the commands."""
        rows = [(name, self._commands_at[name][1]) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except OrosyncError as error:
            for line in lines_of(error):
                click.echo(line, err=True)
            ctx.exit(exit_code_of(error))
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError:
            # whoever read our output has seen enough; Python must not complain about it at its end
            sys.stdout = None
            ctx.exit(FAILED)
        except Exception:  # noqa: BLE001 - a fault of ours ends like any other failure, and the log tells where it is
            import structlog

            structlog.get_logger(__name__).exception("a fault of this program")
            click.echo(
                "Error: this is a fault of orosync. Nothing was left half-done; the log has the place.", err=True
            )
            ctx.exit(FAILED)
