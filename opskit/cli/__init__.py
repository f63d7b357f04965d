"""The command line: thin verbs over the library, in the same words."""

import sys
import traceback
from importlib import import_module

import click

from opskit.errors import EXIT_FAILED, OpskitError

VERBS = {
    "doctor": "doctor",
    "plan": "provision",
    "apply": "provision",
    "snapshot": "books",
    "audit": "books",
    "statement": "books",
    "run": "runbooks",
    "lab": "runbooks",
    "demo": "demo",
    "sandbox": "sandbox",
}
"""Each verb and the module of this package that holds it, loaded when the verb is used."""


class Verbs(click.Group):
    """A group that loads a verb's module only when the verb is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs in the order of the contract."""
        del ctx
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the verb's module and return its command."""
        del ctx
        if cmd_name not in VERBS:
            return None
        module = import_module(f"opskit.cli.{VERBS[cmd_name]}")
        command: click.Command = getattr(module, cmd_name)
        return command


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="opskit")
def cli() -> None:
    """Provision, prove and audit a service's DynamoDB tables, its billing ledger to the cent.

    Exit status: 0 clean or in sync, 1 differences or findings, 2 could not do it,
    3 ran, but the verdict is not complete.
    """


def main() -> None:
    """Run the command line; a known error is one line on stderr and its own exit status."""
    debug = "--debug" in sys.argv
    try:
        sys.exit(cli(standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("opskit: interrupted; nothing more was done", err=True)
        sys.exit(EXIT_FAILED)
    except OpskitError as error:
        if debug:
            traceback.print_exc()
        click.echo(f"opskit: {error}", err=True)
        sys.exit(error.exit_code)
