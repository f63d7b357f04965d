"""The command line: thin verbs over the library, in the same words."""

import os
import sys
import traceback
from importlib import import_module
from typing import NoReturn

import click

from opskit.cli.ending import orderly_end
from opskit.errors import EXIT_FAILED, EXIT_INTERRUPTED, OpskitError

VERBS = {
    "doctor": "doctor",
    "plan": "provision",
    "apply": "provision",
    "snapshot": "snapshot",
    "export": "export",
    "audit": "books",
    "verify": "evidence",
    "repair": "evidence",
    "checks": "checks",
    "statement": "statement",
    "books": "ledger",
    "sql": "sql",
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
    3 ran, but the verdict is not complete, 130 interrupted, 143 terminated.
    """


def main() -> None:
    """Run the command line; whatever goes wrong is one line on stderr and an exit status."""
    try:
        with orderly_end(_stop):
            sys.exit(cli(standalone_mode=False) or 0)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()  # a group without a verb: its help, whole
        sys.exit(error.exit_code)
    except click.ClickException as error:
        _stop(_usage(error), error.exit_code)
    except (click.Abort, KeyboardInterrupt) as error:
        told = isinstance(error.__cause__ or error, KeyboardInterrupt)  # else its input ended
        code = EXIT_INTERRUPTED if told else EXIT_FAILED
        _stop("interrupted; nothing more was done", code)
    except OpskitError as error:
        _stop(str(error), error.exit_code)
    except BrokenPipeError:
        # The reader of the output has gone; there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_FAILED)
    except Exception as error:  # the last resort: a fault of opskit's own
        from opskit.cli.surroundings import fault_of_place

        if what := fault_of_place(error):
            _stop(what, EXIT_FAILED)
        fault = f"{type(error).__name__}: {error}".partition("\n")[0]
        _stop(f"a fault in opskit itself ({fault}); run it again with --debug", EXIT_FAILED)


def _usage(error: click.ClickException) -> str:
    """What a wrong option or argument is, in one line that names the verb's help."""
    context = getattr(error, "ctx", None)
    verb = context.command_path if context else "opskit"
    return f"{error.format_message()} (see {verb} --help)".replace("\n", " ")


def _stop(message: str, code: int) -> NoReturn:
    """Say why on stderr in one line of plain text, after a traceback when asked for one."""
    from opskit.present.escape import plain

    if "--debug" in sys.argv:
        traceback.print_exc()
    click.echo(f"opskit: {plain(message)}", err=True)
    sys.exit(code)
