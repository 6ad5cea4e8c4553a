"""Makes the zip of the layer: one for arm64 and x86_64 and for every supported Python, the same bytes for the same sources.

    python/serverless_guard/...                                        the guard; Lambda puts /opt/python on the path
    python/serverless_guard_handler.py, serverless_guard_bootstrap.py  the redirect and what attaches
    python/serverless_guard.pth                                        attaches without any setting, unless PYTHONPATH is set
    serverless-guard/wrapper                                           the exec wrapper
    serverless-guard/lib/python3.N/site-packages/serverless_guard.pth  attaches through PYTHONUSERBASE, which the wrapper sets
    serverless-guard/LICENSE, sbom.cdx.json                            the papers

`/opt` is read-only, so a module that comes without bytecode is compiled at every cold start, which doubles what the guard costs
there: the zip carries unchecked-hash `.pyc` files for each interpreter that the build is given, by default the one that runs
it. Bytecode differs between patch releases of Python, so that "same bytes" holds for the same sources and the same interpreters.

What no function needs stays at home: docstrings, comments, annotations, and in the bytecode all but one line number a function.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from fnmatch import fnmatchcase

from serverless_guard import __version__
from serverless_guard.errors import GuardError
from serverless_guard.layer.lean import lean
from serverless_guard.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

VERSIONS = ("3.11", "3.12", "3.13", "3.14")
PACKAGE = "serverless_guard"
LEFT_OUT = (
    "commands/*",
    "handlers.py",
    "layer/Dockerfile",
    "layer/bootstrap.py",
    "layer/build.py",
    "layer/bytecode.py",
    "layer/lean.py",
    "layer/serverless_guard.pth",
    "layer/serverless_guard_handler.py",
    "layer/verify.py",
    "layer/wrapper",
    "plain.py",
    "policy.schema.json",
    "samples.py",
    "terminal.py",
    "testing.py",
    "__main__.py",
    "py.typed",
)
"""What no function needs: the command line, the doors for tests and type checkers, and the files that stand elsewhere in the zip."""

MAX_BYTES = 300_000
OPTIONAL = ("emitters/emf.py", "emitters/eventbridge.py", "emitters/otel.py", "emitters/powertools.py", "emitters/securityhub.py")
"""What only a function's own code can ask for, and then brings along; a whole layer has it."""
LATER = (
    ("hosts/entries.py", "inputs/thorough.py", "layer/snapshot.py", "loaders/file.py"),
    ("sources/[!_ruhs]*", "sources/s3_*", "sources/ses.py", "batch.py"),
    ("schema.py", "keywords/*", "sinks/aws.py"),
    ("telemetry.py", "chain.py", "facts.py", "ocsf.py", "redact.py", "text.py", "emitters/__init__.py", "emitters/stdout.py"),
    ("detectors/[!_]*", "words/*"),
    ("emitters/*",),
)
"""What waits for a list of destinations, an event of a rarer source, a schema, a finding, an odd event, a setting.

The rest is loaded by every start, and its bytecode goes in first.

For scale, on 3.12 and a desktop's core: without their bytecode a start with a schema takes 20 ms more, the first odd event 65 ms more.
"""

WRAPPER = "serverless-guard/wrapper"
FLAT = {
    "serverless_guard.pth": "layer/serverless_guard.pth",
    "serverless_guard_bootstrap.py": "layer/bootstrap.py",
    "serverless_guard_handler.py": "layer/serverless_guard_handler.py",
}
"""What stands beside the package, in the layer as where the wheel is installed, and where its source is."""

USER_BASE = "serverless-guard/lib/python{}/site-packages/serverless_guard.pth"
UP_TO_PYTHON = "../../../../python\n"  # from the user base's site-packages; a path line of a `.pth` file is relative to it
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say


class Built(NamedTuple):
    """A layer that was built.

    path:      the zip
    size:      of the zip in bytes
    sha256:    of the zip
    entries:   names in the zip and their unpacked sizes
    compiled:  Python versions whose bytecode is inside, `cpython-312`
    """

    path: str
    size: int
    sha256: str
    entries: tuple[tuple[str, int], ...]
    compiled: tuple[str, ...]


def build(out_path: str, pythons: Sequence[str] = (sys.executable,), whole: bool = False) -> Built:
    """Write the layer to `out_path`, with bytecode for each interpreter in `pythons`. Raises GuardError where one does not compile.

    Of the bytecode there is as much as `MAX_BYTES` allows with one interpreter, what every start loads first; `whole`: all of it.
    """
    made = entries(pythons, whole)
    write(out_path, made)
    with open(out_path, "rb") as file:
        written = file.read()
    tags = sorted({name.split(".")[-2] for name in made if name.endswith(".pyc")})
    return Built(out_path, len(written), hashlib.sha256(written).hexdigest(), tuple(sorted((name, len(data)) for name, data in made.items())), tuple(tags))


def entries(pythons: Sequence[str], whole: bool) -> dict[str, bytes]:
    """Everything in the zip, by its name there."""
    home = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    sources = {name: data for name, data in _sources(home) if whole or not optional(name)}
    made = {**sources, **_attaching(sources[f"python/{PACKAGE}.pth"]), **_papers(home)}
    bytecode: dict[str, bytes] = {}
    chosen: set[str] | None = None
    for python in pythons:
        compiled = _bytecode(sources, python)
        if bytecode.keys() & compiled.keys():
            raise GuardError(f"`{python}` is of the same version as another interpreter that the layer is built for")
        if chosen is None:
            chosen = {_module(name) for name in (compiled if whole else _affordable(made, compiled))}
        bytecode.update({name: data for name, data in compiled.items() if _module(name) in chosen})
    return {**made, **bytecode}


def _affordable(made: dict[str, bytes], bytecode: dict[str, bytes]) -> list[str]:
    """The names of what there is room for beside `made`, the most needed first."""
    room = MAX_BYTES - 22 - sum(_cost(name, data) for name, data in made.items())
    names = []
    for name in sorted(bytecode, key=lambda name: (_need(name), name)):
        cost = _cost(name, bytecode[name])
        if cost <= room:
            room -= cost
            names.append(name)
    return names


def _cost(name: str, data: bytes) -> int:
    """Bytes of the zip that an entry takes: deflated, with its two headers. The end of a zip takes another 22."""
    return len(zlib.compress(data, 9, -15)) + 76 + 2 * len(name)


def _need(name: str) -> int:
    """0 for what every start loads, higher for what comes later."""
    return next((rank for rank, patterns in enumerate(LATER, 1) if _matches(_module(name), patterns)), 0)


def _module(name: str) -> str:
    """The source that a file of bytecode belongs to: its folder and name, without `__pycache__` and the version."""
    folder, _, file = name.rpartition("/")
    return f"{folder.removesuffix('/__pycache__')}/{file.split('.')[0]}.py"


def mode(name: str) -> int:
    """The mode of an entry: the wrapper alone is executable."""
    return 0o100755 if name == WRAPPER else 0o100644


def write(out_path: str, entries: dict[str, bytes]) -> None:
    """A zip of the entries that depends on them alone: sorted, one date, two modes."""
    part = f"{out_path}.part"
    with zipfile.ZipFile(part, "w") as archive:
        for name in sorted(entries):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.create_system = 3  # Unix, whatever builds it: the modes count
            entry.external_attr = mode(name) << 16
            archive.writestr(entry, entries[name], zipfile.ZIP_DEFLATED, compresslevel=9)
    os.replace(part, out_path)


def _sources(home: str) -> Iterator[tuple[str, bytes]]:
    """The guard's own files under their names in the zip."""
    for folder, folders, files in os.walk(home):
        folders[:] = sorted(name for name in folders if name != "__pycache__" and not name.startswith("."))
        for file in sorted(files):
            path = os.path.relpath(os.path.join(folder, file), home).replace(os.sep, "/")
            name = f"python/{PACKAGE}/{path}"
            if not file.startswith(".") and not file.endswith((".pyc", "~")) and not _matches(name, LEFT_OUT):
                data = _read(os.path.join(folder, file))
                yield name, lean(data) if file.endswith(".py") else data
    for name, path in FLAT.items():
        data = _read(next(filter(os.path.exists, (os.path.join(home, path), os.path.join(os.path.dirname(home), name)))))
        yield f"python/{name}", lean(data) if name.endswith(".py") else data


def optional(name: str) -> bool:
    """Whether a layer is sound without this file."""
    return _matches(name, OPTIONAL)


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    path = name.removeprefix(f"python/{PACKAGE}/")
    return any(fnmatchcase(path, pattern) for pattern in patterns)


def _attaching(line: bytes) -> dict[str, bytes]:
    """The wrapper, and the `.pth` file of each version's user base, which puts /opt/python on the path first."""
    bases = {USER_BASE.format(version): UP_TO_PYTHON.encode() + line for version in VERSIONS}
    return {WRAPPER: _read(os.path.join(os.path.dirname(os.path.abspath(__file__)), "wrapper")), **bases}


def _papers(home: str) -> dict[str, bytes]:
    """The licence, and a bill of materials in CycloneDX, which is short: nothing of others is in the layer."""
    beside = os.path.dirname(home)
    licences = [*glob.glob(os.path.join(glob.escape(beside), f"{PACKAGE}-*.dist-info", "licenses", "LICENSE")), os.path.join(beside, "LICENSE")]
    component = {
        "type": "library",
        "bom-ref": f"pkg:pypi/serverless-guard@{__version__}",
        "name": "serverless-guard",
        "version": __version__,
        "licenses": [{"license": {"id": "Apache-2.0"}}],
        "purl": f"pkg:pypi/serverless-guard@{__version__}",
    }
    bill = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "metadata": {"component": component}, "components": []}
    dependencies = [{"ref": component["bom-ref"], "dependsOn": []}]
    return {
        "serverless-guard/LICENSE": _read(next(filter(os.path.exists, licences))),
        "serverless-guard/sbom.cdx.json": json.dumps({**bill, "dependencies": dependencies}, indent=2).encode() + b"\n",
    }


def _bytecode(sources: dict[str, bytes], python: str) -> dict[str, bytes]:
    """The `.pyc` files of an interpreter. A process of its own: what this one has loaded before would show in the bytes."""
    made: dict[str, bytes] = {}
    with tempfile.TemporaryDirectory() as stage:
        for name, data in sources.items():
            path = os.path.join(stage, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(data)
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bytecode.py")
        _run(python, [python, "-I", "-S", "-X", "no_debug_ranges", script, stage, "/opt"])
        for folder, _, files in os.walk(stage):
            for path in (os.path.join(folder, file_name) for file_name in files if file_name.endswith(".pyc")):
                made[os.path.relpath(path, stage).replace(os.sep, "/")] = _read(path)
    return made


def _run(python: str, command: list[str]) -> None:
    if shutil.which(python) is None:
        raise GuardError(f"`{python}` is no program on this machine")
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if ran.returncode:
        raise GuardError(f"`{python}` does not compile the guard: {(ran.stdout + ran.stderr).strip()[-500:]}")


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
