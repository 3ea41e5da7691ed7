"""The Typer application: commands on demand, global options anywhere, errors by way of ``diagnostics``."""

from __future__ import annotations

import inspect
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from functools import partial
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import Abort, Exit, TyperException
from typer.main import get_command

from tribe_ws_cli.diagnostics import Diagnosis, Talk, diagnose, is_broken_pipe
from tribe_ws_cli.environment import Environment, resolve
from tribe_ws_cli.exit_codes import ExitCode
from tribe_ws_cli.registry import COMMANDS, GLOBAL_OPTIONS, SUMMARY, CommandOption, Entry, help_text

PROGRAM = "tribe-ws"
_GIVEN = "tribe_ws_cli.global_options"
_GIVEN_OWN = "tribe_ws_cli.own_options"
_NOTES = "__tribe_ws_notes__"
_PLAIN: dict[str, Any] = {
    "add_completion": False,
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
    "context_settings": {"help_option_names": ["-h", "--help"], "max_content_width": 110},
}


def run(arguments: Sequence[str]) -> int:
    """Run one command line and tell its exit code."""
    # A library's advice to programmers is no news for the user of a program.
    warnings.simplefilter("ignore")
    try:
        command = get_command(app)
        command.main(args=list(arguments), prog_name=PROGRAM)
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def command(
    *, examples: Sequence[str] = (), without: Sequence[str] = (), options: Sequence[CommandOption] = ()
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Note what belongs to a command beside its signature.

    That is: examples for its help, global options it has no use for, and further options as plain data, whose
    values ``given_options`` tells.
    """

    def note(function: Callable[..., Any]) -> Callable[..., Any]:
        setattr(function, _NOTES, (tuple(examples), tuple(without), tuple(options)))
        return function

    return note


def group(help_line: str) -> typer.Typer:
    """Make a command that has commands of its own."""
    return typer.Typer(
        cls=Group, help=help_line, no_args_is_help=False, invoke_without_command=True, **_PLAIN
    )


def environment_of(context: typer.Context) -> Environment:
    """Build the environment from the global options given anywhere on the command line."""
    environment = resolve(context.meta.get(_GIVEN, {}))
    if environment.verbose:
        from tribe_ws_cli.wire_log import show_wire_log

        show_wire_log()
    return environment


class Command(TyperCommand):
    """A command whose help begins with its examples, and which takes the global options too."""

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        notes: tuple[tuple[str, ...], tuple[str, ...], tuple[CommandOption, ...]]
        notes = getattr(self.callback, _NOTES, ((), (), ()))
        examples, without, options = notes
        self.examples: tuple[str, ...] = examples
        self.params.extend(_params(options, _GIVEN_OWN))
        taken = {flag for param in self.params for flag in param.opts}
        self.own_params = tuple(self.params)
        self.params.extend(
            option
            for option in _params(GLOBAL_OPTIONS, _GIVEN)
            if option.name not in without and not taken.intersection(option.opts)
        )

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        """Write the help, and the examples before the options."""
        super().format_help_text(ctx, formatter)
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write(f"{'':>{formatter.current_indent}}{example}\n")

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments, own options, and global options under headings of their own."""
        arguments: list[tuple[str, str]] = []
        own: list[tuple[str, str]] = []
        shared: list[tuple[str, str]] = []
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is None:
                continue
            is_own = param in self.own_params or param.name == "help"
            rows = arguments if param.param_type_name == "argument" else own if is_own else shared
            rows.append(record)
        for heading, rows in (("Arguments", arguments), ("Options", own), ("Global options", shared)):
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)


class Group(TyperGroup):
    """A command that only has commands of its own; without one it prints its help."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Find a command, or say which one was probably meant."""
        found = super().get_command(ctx, cmd_name)
        if found is None and not ctx.resilient_parsing:
            _refuse_unknown(ctx, cmd_name, self.list_commands(ctx))
        return found

    def invoke(self, ctx: Any) -> Any:
        """Run the command named, or print the help."""
        if not ctx.args and not ctx._protected_args:  # noqa: SLF001 - the parser's own place for the command's name
            sys.stdout.write(ctx.get_help() + "\n")
            return None
        return super().invoke(ctx)


class Application(Group):
    """The root: imports the module of a command when that command is asked for."""

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self.params.extend(_params(GLOBAL_OPTIONS, _GIVEN))

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the parser's own signature
        """Name all commands, without loading them."""
        return [entry.name for entry in COMMANDS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Load a command."""
        entry = next((entry for entry in COMMANDS if entry.name == cmd_name), None)
        if entry is not None:
            return load(entry)
        if not ctx.resilient_parsing:
            _refuse_unknown(ctx, cmd_name, self.list_commands(ctx))
        return None

    def get_help(self, ctx: Any) -> str:  # noqa: ARG002 - the parser's own signature
        """Give the prepared help."""
        return help_text().rstrip("\n")

    def invoke(self, ctx: Any) -> Any:
        """Run the command; a reader who has gone is no error, whatever the parser thinks of it."""
        try:
            return super().invoke(ctx)
        except OSError as error:
            if is_broken_pipe(error):
                return _nobody_reads()
            raise

    def main(self, args: Sequence[str] | None = None, *_: Any, **extra: Any) -> Any:
        """Run a command line; always ends with ``SystemExit`` and one of our exit codes."""
        arguments = list(sys.argv[1:] if args is None else args)
        extra |= {"standalone_mode": False, "prog_name": PROGRAM}
        if f"_{PROGRAM.upper()}_COMPLETE".replace("-", "_") in os.environ:
            return super().main(args=arguments, **extra)
        sys.exit(int(_guarded(lambda: super(Application, self).main(arguments, **extra), arguments)))


def load(entry: Entry) -> Any:
    """Import a command and make the parser's object of it."""
    module, attribute = entry.target.split(":")
    target = getattr(import_module(f"tribe_ws_cli.commands.{module}"), attribute)
    if not isinstance(target, typer.Typer):
        function, target = target, typer.Typer(**_PLAIN)
        target.command(entry.name, cls=Command)(function)
    loaded = get_command(target)
    loaded.name = entry.name
    return loaded


def _guarded(call: Callable[[], Any], arguments: Sequence[str]) -> int:
    """Run the parser and the command; every way to end becomes an exit code: ours, or that of ``exec``'s."""
    talk = Talk(json="--json" in arguments or os.environ.get("TRIBE_WS_OUTPUT") in {"json", "ndjson"})
    talk.color = sys.stderr.isatty() and not os.environ.get("NO_COLOR") and "--no-color" not in arguments
    try:
        result = call()
        sys.stdout.flush()
        return int(result) if isinstance(result, int) else ExitCode.DONE
    except Exit as end:
        return end.exit_code
    except (KeyboardInterrupt, Abort):
        return ExitCode.INTERRUPTED
    except TyperException as error:
        talk.error(_usage(error))
        return ExitCode.USAGE
    except Exception as error:  # noqa: BLE001 - the last door: whatever comes becomes a message and an exit code
        if is_broken_pipe(error):
            return _nobody_reads()
        if "-v" in arguments or "--verbose" in arguments:
            import traceback

            talk.note("".join(traceback.format_exception(error)))
        diagnosis = diagnose(error)
        talk.error(diagnosis)
        return diagnosis.exit


def _nobody_reads() -> ExitCode:
    """End quietly, as ``| head`` wants it, and keep the interpreter's last flush from complaining."""
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - lives as long as the process
    return ExitCode.DONE


def _usage(error: TyperException) -> Diagnosis:
    """Say what is wrong with a command line, and where its help is."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else PROGRAM
    message = error.format_message().rstrip(".")
    what = message[:1].lower() + message[1:]
    return Diagnosis(what.replace("'", '"'), f"{path} --help", "usage", ExitCode.USAGE)


def _refuse_unknown(ctx: Any, name: str, known: Sequence[str]) -> None:
    from tribe_ws_cli.diagnostics import UsageProblem

    close = get_close_matches(name, known, n=1, cutoff=0.5)
    meant = f"did you mean  {ctx.command_path} {close[0]}?        " if close else ""
    raise UsageProblem(f'no command "{name}"', hint=f"{meant}all:  {ctx.command_path} --help")


def _params(options: Sequence[CommandOption], key: str) -> list[Any]:
    """Make the parser's options from plain data; what is given for them is kept under ``key``."""

    def declare() -> None: ...

    parameters = []
    for option in options:
        kind: Any = str | None if option.metavar else bool | None
        if option.is_repeatable:
            kind = list[str] | None
        info = typer.Option(*option.flags, metavar=option.metavar or None, help=option.help)
        parameters.append(
            inspect.Parameter(
                option.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind, info]
            )
        )
    declare.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    declare.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    carrier = typer.Typer(**_PLAIN)
    carrier.command()(declare)
    params = list(get_command(carrier).params)
    for param in params:
        param.expose_value = False
        param.callback = partial(_remember, key)
    return params


def _remember(key: str, ctx: Any, param: Any, value: Any) -> Any:
    if value not in (None, []):
        ctx.meta.setdefault(key, {})[param.name] = value
    return value


def given_options(context: typer.Context) -> dict[str, Any]:
    """Tell what was given for the options that ``command`` declared as plain data."""
    return dict(context.meta.get(_GIVEN_OWN, {}))


def _show_version(value: bool) -> None:
    if value:
        from tribe_ws import __version__

        sys.stdout.write(f"{PROGRAM} {__version__}\n")
        raise Exit(0)


app = typer.Typer(cls=Application, help=SUMMARY, invoke_without_command=True, **_PLAIN)


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option("-V", "--version", is_eager=True, callback=_show_version, help="Print the version."),
    ] = False,
) -> None:
    """Complete local backend, event-stream toolkit and test kit for the Tribe chat app."""
