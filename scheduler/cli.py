"""The one command, `parknews`. Sub-commands live in `scheduler.commands` and are imported when they are asked for."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from typing import NoReturn

import click

#: name -> (module of scheduler.commands, what it does). Read by --help without importing anything.
COMMANDS = {
    "init": ("setup", "Write parknews.toml and sources.toml into a folder."),
    "demo": ("demo", "Run the whole job on a sample web of this machine."),
    "doctor": ("setup", "Check this installation; every fault with its way out."),
    "crawl": ("crawl", "Visit sources now."),
    "daemon": ("daemon", "Run everything at its hour until told to stop."),
    "worker": ("worker", "Take crawls from the daemon's queue, on any machine."),
    "inspect": ("inspect", "Show what the crawler makes of a page."),
    "classify": ("classify", "Say what texts are about."),
    "source": ("source", "List, show and try sources."),
    "article": ("article", "Show, add, re-read and re-classify articles."),
    "story": ("story", "Group, explain, merge and split stories."),
    "issue": ("issue", "Preview, compose and show weekly issues."),
    "deliver": ("deliver", "Send what is due; list and settle what is in doubt."),
    "recipient": ("recipient", "Add, list, import and remove recipients."),
    "template": ("template", "Check the digest's templates."),
    "status": ("status", "Show sources, crawls, the coming issue and deliveries."),
    "search": ("search", "Find articles and stories by what stands in them."),
    "statistics": ("statistics", "Count articles and stories by zone, theme and month or quarter."),
    "export": ("export", "Write articles, stories or issues as CSV, JSON lines, XLSX or RSS."),
    "backup": ("backup", "Write everything into one verified file, also while the daemon runs."),
    "restore": ("backup", "Fill an empty database from a backup, of the other kind of database too."),
    "web": ("web", "Serve the archive, the editors' desk and the recipients' pages."),
    "editor": ("editor", "Add, list and remove editors' accounts."),
    "db": ("db", "Upgrade and check the database's schema."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported only when they run, so that help is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return the command."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"scheduler.commands.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the table without importing the commands."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    "config_path",
    metavar="FILE",
    help="Configuration file (default: PARKNEWS_CONFIG, then ./parknews.toml).",
)
@click.version_option(package_name="parknews")
def cli(config_path: str | None) -> None:
    """Weekly briefing of Party-building news from China's high-tech zones."""
    if config_path:
        os.environ["PARKNEWS_CONFIG"] = os.path.abspath(config_path)  # noqa: PTH100
    os.environ.setdefault("SCRAPY_SETTINGS_MODULE", "crawler.settings")


def main() -> NoReturn:
    """Run the command. Faults of configuration, schema, files and servers are one line on stderr and exit code 2."""
    gc.set_threshold(10_000)  # what is imported stays; to look for cycles in it takes a sixth of a start
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    try:
        cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.stderr.write("stopped\n")
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        if not _is_operators_fault(error):
            if fault := _environment_fault():
                sys.stderr.write(f"parknews: {fault}\n")
                sys.exit(2)
            raise
        sys.stderr.write(f"parknews: {_one_line(error)}\n")
        sys.exit(2)
    sys.exit(0)


#: Exceptions whose message is written for an operator, by their qualified name: naming them imports nothing.
_PLAIN = {
    "builtins.PermissionError",
    "store.config.ConfigError",
    "store.toml_file.TomlError",
    "store.schema.SchemaError",
    "store.vocabulary.loading.VocabularyError",
    "store.recipients.RecipientError",
    "store.backup.BackupError",
    "store.export.ExportError",
    "store.editors.EditorError",
    "digest.channels.base.DeliveryError",
    "digest.briefing.BriefingError",
    "digest.rendering.RenderingError",
    "jinja2.exceptions.TemplateError",
    "crawler.fetching.FetchError",
    "store.database.DatabaseUnavailable",
    "sqlalchemy.exc.OperationalError",
    "sqlalchemy.exc.DatabaseError",
    "sqlalchemy.exc.ArgumentError",
    "sqlalchemy.exc.NoSuchModuleError",
}


def _is_operators_fault(error: BaseException) -> bool:
    names = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__}
    return bool(names & _PLAIN)


def _environment_fault() -> str:
    """Return what is wrong with the installed packages: what else would look like a fault of the program."""
    from scheduler.environment import environment

    faults = [check for check in environment() if not check.ok]
    return f"{faults[0].what}: {faults[0].detail}; `parknews doctor` tells the way out" if faults else ""


def _one_line(error: BaseException) -> str:
    if isinstance(error, Exception) and type(error).__module__.startswith("sqlalchemy"):
        from store.config import ConfigError, load_config
        from store.database import complaint_of, explain

        try:
            return explain(error, load_config().database_url)
        except (ConfigError, ValueError):
            return complaint_of(error)
    if isinstance(error, Exception) and type(error).__module__.startswith("jinja2"):
        from digest.rendering import template_fault

        return f"{template_fault(error) or error}; `parknews template check` tells more"
    return " ".join(str(error).split())
