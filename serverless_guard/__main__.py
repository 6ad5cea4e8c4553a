"""`serverless-guard`, or `python -m serverless_guard`: the way from the shell to a command."""

from __future__ import annotations

import os
import sys

from serverless_guard import __version__, commands
from serverless_guard.errors import PolicyError

OVERVIEW = """\
usage: serverless-guard COMMAND ...

Runtime protection for Python functions on AWS Lambda.

commands:
{commands}

`serverless-guard COMMAND --help` says what a command does, with an example.
Exit codes of all: 0 clean, 1 findings, 2 a mistake in the call or a file
that cannot be read.
"""


def main(argv: list[str] | None = None) -> int:
    """The exit status of the command that `argv` (the process's own when None) asks for."""
    for stream in (sys.stdout, sys.stderr):
        # an event may hold what the terminal's encoding cannot say, a lone surrogate for one
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        status = _run(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
    except (commands.Usage, PolicyError) as mistake:
        print(f"serverless-guard: {mistake}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # who reads has gone (`| head`); what is left in the buffer would raise again at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except KeyboardInterrupt:
        return 130
    return status


def _run(argv: list[str]) -> int:
    overview = OVERVIEW.format(commands="\n".join(f"  {name:9} {line}" for name, line in commands.COMMANDS.items()))
    if not argv:
        print(overview, end="", file=sys.stderr)
        return 2
    name, *rest = argv
    if name == "help" and rest:
        name, rest = rest[0], ["--help"]
    if name in ("-h", "--help", "help"):
        print(overview, end="")
        return 0
    if name in ("-V", "--version"):
        print(f"serverless-guard {__version__}, Python {sys.version.split()[0]}")
        return 0
    status: int = commands.load(name).run(rest)
    return status


if __name__ == "__main__":
    raise SystemExit(main())
