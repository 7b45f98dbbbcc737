"""The command line: one file a command, imported when it is called."""

from __future__ import annotations

import importlib
import sys

import click

from ses_audit import __version__
from ses_audit.errors import USAGE, UserError

__all__ = ["main"]

# Command → (module, object, one-line help). The help stands here so that `--help` imports nothing.
COMMANDS = {
    "run": ("ses_audit.cli.run", "run", "Collect, decide, run the notebooks, write the report."),
    "collect": ("ses_audit.cli.collect", "collect", "Read an organization into a snapshot."),
    "import": ("ses_audit.cli.import_", "import_", "Make a snapshot from AWS CLI output."),
    "status": ("ses_audit.cli.status", "status", "What a snapshot has read, and what not."),
    "decide": ("ses_audit.cli.decide", "decide", "Decide a snapshot's verdicts, on many cores."),
    "verdicts": ("ses_audit.cli.verdicts", "verdicts", "Who can send: one row a cell."),
    "who-can": ("ses_audit.cli.who_can", "who_can", "Who can send from one identity."),
    "explain": ("ses_audit.cli.explain", "explain", "Why one send is denied, or would be."),
    "simulate": ("ses_audit.cli.simulate", "simulate", "Decide requests as AWS's simulator does."),
    "replay": ("ses_audit.cli.replay", "replay", "Serve recorded AWS answers on loopback."),
    "notebooks": ("ses_audit.cli.notebooks", "notebooks", "List or copy the notebooks."),
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name, _ = COMMANDS[cmd_name]
        command = getattr(importlib.import_module(module), name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}.{name} is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in COMMANDS.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ses-audit")
def cli() -> None:
    """Who in an AWS organization can send e-mail through Amazon SES, and what stops the others.

    \b
    Exit codes: 0 done, 1 tool failure, 2 usage, 3 nothing collected,
    4 coverage incomplete (with --require-complete).
    """


def main() -> None:
    """Run the command line; a user's error is one line on stderr."""
    try:
        code = cli.main(standalone_mode=False)
    except UserError as error:
        click.echo(f"ses-audit: {error}", err=True)
        sys.exit(error.exit_code)
    except click.UsageError as error:
        error.show()
        sys.exit(USAGE)
    except click.ClickException as error:
        click.echo(f"ses-audit: {error.format_message()}", err=True)
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("ses-audit: stopped; what was read is kept, the same command goes on", err=True)
        sys.exit(130)
    except BrokenPipeError:
        # The reader went away (`| head`): nothing is wrong here.
        sys.stderr.close()
        sys.exit(0)
    sys.exit(code if isinstance(code, int) else 0)
