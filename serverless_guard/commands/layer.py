"""Build the Lambda layer: one zip for arm64 and x86_64, for every Python.

The same sources and interpreters give the same bytes. It attaches by
AWS_LAMBDA_EXEC_WRAPPER=/opt/serverless-guard/wrapper, by PYTHONUSERBASE, or
by the handler serverless_guard_handler.handler.

example:
  serverless-guard layer build
  serverless-guard layer build -o build/layer.zip --python python3.12
  aws lambda publish-layer-version --layer-name serverless-guard \\
    --zip-file fileb://serverless-guard-layer.zip

exit codes: 0 built, 2 usage, or a file that cannot be written
"""

from __future__ import annotations

import json
import sys

from serverless_guard import terminal
from serverless_guard.commands import Usage, parser
from serverless_guard.errors import GuardError


def run(argv: list[str]) -> int:
    """Build it, and say what is in it."""
    arguments = parser("layer", __doc__)
    arguments.add_argument("action", choices=("build",), help="what to do")
    arguments.add_argument("-o", "--output", default="serverless-guard-layer.zip", metavar="ZIP", help="file to write (default: serverless-guard-layer.zip)")
    arguments.add_argument("--python", action="append", metavar="PYTHON", help="interpreter whose bytecode goes in; may be given again (default: this one)")
    arguments.add_argument("--whole", action="store_true", help="all bytecode and every emitter, though the zip is then over 300 KB")
    arguments.add_argument("--format", choices=("text", "json"), default="text", help="for people or for programs (default: text)")
    given = arguments.parse_args(argv)

    # only here: the layer's builder is of no use to any other command
    from serverless_guard.layer import build

    try:
        built = build.build(given.output, given.python or (sys.executable,), given.whole)
    except OSError as error:
        raise Usage(f"`{given.output}` cannot be written: {(error.strerror or str(error)).lower()}") from None
    except GuardError as error:
        raise Usage(str(error)) from None
    if given.format == "json":
        print(json.dumps(built._asdict(), indent=2))
    else:
        print(f"wrote {terminal.printable(built.path)}")
        files = f"{built.size:,} bytes, {len(built.entries)} files"
        print(
            terminal.facts(
                (("size", files), ("bytecode", f"{', '.join(built.compiled) or 'none'}; on another Python a start takes longer"), ("sha256", built.sha256))
            )
        )
    return 0
