"""Where the ``tribe-ws`` command begins.

Version and help are answered before anything heavy is imported: completion scripts, editors and people in a
hurry ask for them. Everything else goes to ``application``.
"""

from __future__ import annotations

import sys

_HELP = ("-h", "--help")
_VERSION = ("-V", "--version")


def main() -> int:
    """Run the command line of this process and tell its exit code."""
    arguments = sys.argv[1:]
    if len(arguments) == 1 and arguments[0] in _VERSION:
        from tribe_ws import __version__

        return _print(f"tribe-ws {__version__}\n")
    if not arguments or (len(arguments) == 1 and arguments[0] in _HELP):
        from tribe_ws_cli.registry import help_text

        return _print(help_text() + ("" if arguments else "\nTry: tribe-ws demo\n"))
    from tribe_ws_cli.application import run

    return run(arguments)


def _print(text: str) -> int:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # Nobody reads any more: end quietly, and keep the interpreter's own last flush from complaining.
        sys.stdout = None
    except UnicodeEncodeError:
        sys.stdout.buffer.write(text.encode("ascii", "replace"))
    return 0
