"""The command `onevault`: one small module per command, imported when it is called.

Exit codes: 0 done, 1 refused or failed (one sentence on standard error), 2 wrong usage.
"""

from __future__ import annotations

import importlib
import sys

import click

from onevault import __version__
from onevault.cli.output import explain_database_error
from onevault.errors import OperatorError
from onevault.memory import keep_memory_private

# Name of the command -> module that holds it as `command`, in the order help shows them.
COMMANDS = {
    "up": "onevault.cli.up",
    "prepare": "onevault.cli.prepare",
    "serve": "onevault.cli.serve",
    "work": "onevault.cli.work",
    "migrate": "onevault.cli.migrate",
    "dsn": "onevault.cli.dsn",
    "psql": "onevault.cli.psql",
    "tenant": "onevault.cli.tenant",
    "customer": "onevault.cli.customer",
    "token": "onevault.cli.token",
    "webhook": "onevault.cli.webhook",
    "export": "onevault.cli.export",
    "keys": "onevault.cli.keys",
    "provider": "onevault.cli.provider",
    "model": "onevault.cli.model",
    "prices": "onevault.cli.prices",
    "rule": "onevault.cli.rule",
    "plan": "onevault.cli.plan",
    "bill": "onevault.cli.bill",
    "invoice": "onevault.cli.invoice",
    "bi": "onevault.cli.bi",
    "reconcile": "onevault.cli.reconcile",
    "credit": "onevault.cli.credit",
    "link": "onevault.cli.link",
    "doctor": "onevault.cli.doctor",
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(COMMANDS[cmd_name]).command
        assert isinstance(command, click.Command)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="onevault")
def cli() -> None:
    """A gateway in front of AI providers, kept in PostgreSQL."""


def main() -> None:
    """Runs the command line of this process and exits."""
    keep_memory_private()
    try:
        cli.main(prog_name="onevault", standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        sys.stderr.close()
        sys.exit(1)
    except OperatorError as error:
        _fail(str(error))
    except Exception as error:
        psycopg = sys.modules.get("psycopg")  # loaded only by commands that ask the database
        if psycopg is None or not isinstance(error, psycopg.Error):
            raise
        _fail(explain_database_error(error))


def _fail(message: str) -> None:
    click.echo(f"onevault: {message}", err=True)
    sys.exit(1)
