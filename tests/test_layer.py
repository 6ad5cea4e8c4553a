"""The layer's zip: reproducible, small, complete; and the files in it that attach."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from runtime import PYTHON, ROOT, unpacked

import serverless_guard
from serverless_guard.errors import GuardError
from serverless_guard.layer import bootstrap, build
from serverless_guard.layer.handler import resolve
from serverless_guard.layer.lean import lean as lean_source
from serverless_guard.layer.verify import verify
from serverless_guard.policy import FLAGS


@pytest.fixture(scope="session")
def zipped(tmp_path_factory: pytest.TempPathFactory) -> build.Built:
    """The layer as `layer build` makes it by default."""
    return build.build(str(tmp_path_factory.mktemp("zip") / "layer.zip"))


def entries(path: str) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_zip_is_under_its_size(zipped: build.Built) -> None:
    assert zipped.size == os.path.getsize(zipped.path)
    assert zipped.size <= build.MAX_BYTES == 300_000


@pytest.mark.parametrize("installed", [False, True], ids=["from the sources", "from an installed wheel"])
def test_the_same_sources_make_the_same_bytes(installed: bool, zipped: build.Built, tmp_path: Path) -> None:
    elsewhere = tmp_path / "else where"
    shutil.copytree(ROOT / "serverless_guard", elsewhere / "serverless_guard", ignore=shutil.ignore_patterns("__pycache__"))
    if installed:  # hatch moves them out of the package
        for name, path in build.FLAT.items():
            (elsewhere / "serverless_guard" / path).rename(elsewhere / name)
        (elsewhere / "serverless_guard-1.2.3.dist-info/licenses").mkdir(parents=True)
    shutil.copy(ROOT / "LICENSE", elsewhere / ("serverless_guard-1.2.3.dist-info/licenses" if installed else ""))
    (elsewhere / "serverless_guard/.editor").write_text("of an editor")
    for path in elsewhere.rglob("*"):
        os.utime(path, (1, 1))
    code = "import sys; from serverless_guard.layer.build import build; print(build(sys.argv[1]).sha256)"
    env = {**os.environ, "PYTHONPATH": str(elsewhere), "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}
    told = subprocess.run([sys.executable, "-c", code, "other.zip"], cwd=tmp_path, env=env, check=True, capture_output=True, text=True).stdout
    assert told.strip() == zipped.sha256
    assert (tmp_path / "other.zip").read_bytes() == Path(zipped.path).read_bytes()


def test_the_zip_holds_what_attaches_where_lambda_and_python_look_for_it(zipped: build.Built) -> None:
    held = entries(zipped.path)
    assert "python/serverless_guard/decorator.py" in held
    assert b"redirected()" in held["python/serverless_guard_handler.py"]
    assert b"sys.meta_path.insert(0" in held["python/serverless_guard_bootstrap.py"]
    line = held["python/serverless_guard.pth"].decode()
    assert line.startswith("import os; ")
    assert line.count("\n") == 1
    for version in ("3.11", "3.12", "3.13", "3.14"):
        assert held[f"serverless-guard/lib/python{version}/site-packages/serverless_guard.pth"].decode() == "../../../../python\n" + line


def test_only_the_wrapper_is_executable_and_every_date_is_the_same(zipped: build.Built) -> None:
    with zipfile.ZipFile(zipped.path) as archive:
        modes = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.namelist() == sorted(archive.namelist())
    assert modes.pop("serverless-guard/wrapper") == 0o100755
    assert set(modes.values()) == {0o100644}


def test_neither_the_command_line_nor_jsonschema_nor_native_code_is_in_the_layer(zipped: build.Built) -> None:
    names = [name for name, _ in zipped.entries]
    assert not [name for name in names if "commands" in name or "jsonschema" in name or name.endswith((".so", ".pyd"))]
    assert not [name for name in names if name.startswith("/") or ".." in name]


def test_what_a_start_and_a_clean_event_load_has_bytecode(zipped: build.Built, tmp_path: Path) -> None:
    opt = unpacked(Path(zipped.path), tmp_path / "opt")
    code = """
import sys
from serverless_guard import guard

handler = guard(mode="block")(lambda event, context: "clean")
assert handler({"name": "Ada"}, None) == "clean"
for name, module in sys.modules.items():
    if name.startswith("serverless_guard"):
        print(module.__spec__.cached)
"""
    loaded = from_layer(opt, code).stdout.splitlines()
    assert len(loaded) > 10
    assert not [path for path in loaded if not os.path.exists(path)]


def test_a_layer_built_whole_has_bytecode_for_every_module(zipped: build.Built, tmp_path: Path) -> None:
    whole = build.build(str(tmp_path / "whole.zip"), whole=True)
    held = entries(whole.path)
    assert whole.compiled == zipped.compiled == (sys.implementation.cache_tag,)
    assert set(entries(zipped.path)) < set(held)
    for name in held:
        if name.endswith(".py"):
            folder, _, module = name.rpartition("/")
            bytecode = held[f"{folder}/__pycache__/{module[:-3]}.{sys.implementation.cache_tag}.pyc"]
            assert bytecode[4:8] == b"\x01\0\0\0", "unchecked hash"
            assert str(ROOT).encode() not in bytecode


def test_the_bytecode_is_what_runs(zipped: build.Built, tmp_path: Path) -> None:
    opt = unpacked(Path(zipped.path), tmp_path / "opt")
    (opt / "python/serverless_guard/errors.py").write_text("this is no Python")
    code = "from serverless_guard import errors; print(errors.PolicyError.__name__)"
    ran = from_layer(opt, code)
    assert ran.stdout == "PolicyError\n"


def test_a_layer_without_bytecode_can_be_asked_for(tmp_path: Path) -> None:
    built = build.build(str(tmp_path / "plain.zip"), pythons=())
    assert built.compiled == ()
    assert not [name for name, _ in built.entries if name.endswith(".pyc")]


@pytest.mark.parametrize("python", ["no-such-python", "/bin/false"])
def test_an_interpreter_that_does_not_compile_is_a_clear_error_and_leaves_no_zip(python: str, tmp_path: Path) -> None:
    with pytest.raises(GuardError, match=f"`{python}`"):
        build.build(str(tmp_path / "layer.zip"), pythons=(python,))
    assert list(tmp_path.iterdir()) == []


def test_two_interpreters_of_one_version_are_refused(tmp_path: Path) -> None:
    with pytest.raises(GuardError, match="same version"):
        build.build(str(tmp_path / "layer.zip"), pythons=(sys.executable, sys.executable))


def from_layer(opt: Path, code: str) -> subprocess.CompletedProcess[str]:
    """A Python that imports the guard from the layer; not from the working directory, which comes first."""
    env = {"PYTHONPATH": str(opt / "python"), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([sys.executable, "-c", code], env=env, cwd=opt, capture_output=True, text=True, check=True)


def started(opt: Path, code: str, **env: str) -> subprocess.CompletedProcess[str]:
    """A plain Python that finds the layer in its user base."""
    given = {"PYTHONUSERBASE": str(opt / "serverless-guard"), "PATH": os.environ["PATH"], **env}
    return subprocess.run([PYTHON, "-c", code], env=given, cwd=opt, capture_output=True, text=True, check=False)


def test_at_the_start_of_any_python_almost_nothing_happens(zipped: build.Built, tmp_path: Path) -> None:
    opt = unpacked(Path(zipped.path), tmp_path / "opt")
    code = "import sys; print([name for name in sys.modules if 'serverless_guard' in name], sys.meta_path)"
    outside = started(opt, code)
    assert outside.stdout.startswith("[] [")
    assert "serverless_guard_bootstrap.Finder" not in outside.stdout
    inside = started(opt, code, AWS_LAMBDA_RUNTIME_API="127.0.0.1:1")
    assert inside.stdout.startswith("['serverless_guard_bootstrap'] [")
    assert inside.stdout.count("<serverless_guard_bootstrap.Finder object") == 1
    assert outside.stderr == inside.stderr == ""


def test_starting_twice_attaches_once(zipped: build.Built, tmp_path: Path) -> None:
    opt = unpacked(Path(zipped.path), tmp_path / "opt")
    code = (
        "import sys, serverless_guard_bootstrap as b; b.start(); b.start(); print(sum('Finder' in repr(f) and 'serverless' in repr(f) for f in sys.meta_path))"
    )
    assert started(opt, code, AWS_LAMBDA_RUNTIME_API="127.0.0.1:1").stdout == "1\n"


CLIENTS = {
    "one that resolves handlers in another way": ("other = 1\n", "this version of the runtime client resolves handlers in a way that is not known"),
    "one that does not load": ("raise ValueError('of the client')\n", "of the client"),
}


@pytest.mark.parametrize(("text", "message"), CLIENTS.values(), ids=CLIENTS)
def test_a_runtime_client_that_cannot_be_patched_does_not_load(text: str, message: str, zipped: build.Built, tmp_path: Path) -> None:
    opt = unpacked(Path(zipped.path), tmp_path / "opt")
    client = tmp_path / "client" / "awslambdaric"
    client.mkdir(parents=True)
    (client / "__init__.py").write_text("")
    (client / "bootstrap.py").write_text(text)
    ran = started(opt, "import awslambdaric.bootstrap", AWS_LAMBDA_RUNTIME_API="127.0.0.1:1", PYTHONPATH=str(client.parent))
    assert ran.returncode == 1
    assert message in ran.stderr


def test_the_patched_client_keeps_its_own_loader_and_the_finder_leaves(zipped: build.Built, tmp_path: Path) -> None:
    opt = unpacked(Path(zipped.path), tmp_path / "opt")
    client = tmp_path / "client" / "awslambdaric"
    client.mkdir(parents=True)
    (client / "__init__.py").write_text("")
    (client / "bootstrap.py").write_text("def _get_handler(name): return len\n")
    code = """
import inspect, sys
import awslambdaric.bootstrap as client
assert type(client.__spec__.loader).__name__ == type(client.__loader__).__name__ == "SourceFileLoader"
assert "def _get_handler" in inspect.getsource(client)
assert not any("serverless_guard" in repr(finder) for finder in sys.meta_path)
assert client._get_handler.__module__ == "serverless_guard_bootstrap"
"""
    ran = started(opt, code, AWS_LAMBDA_RUNTIME_API="127.0.0.1:1", PYTHONPATH=str(client.parent))
    assert ran.returncode == 0, ran.stderr


def test_the_bootstrap_and_the_policy_read_the_kill_switch_alike() -> None:
    assert set(bootstrap.OFF) == {word for word, on in FLAGS.items() if not on}


@pytest.mark.parametrize("name", ["os.path.join", "os/path.join", " os.path.join "])
def test_a_handler_is_named_with_dots_or_slashes(name: str) -> None:
    assert resolve(name) is os.path.join


def test_the_wrapper_is_plain_sh() -> None:
    wrapper = ROOT / "serverless_guard/layer/wrapper"
    assert wrapper.read_text().startswith("#!/bin/sh\n")
    assert os.access(wrapper, os.X_OK)
    dash = shutil.which("dash")
    if dash is None:
        pytest.skip("no dash on this machine")
    ran = subprocess.run([dash, str(wrapper), "sh", "-c", "echo $PYTHONUSERBASE"], capture_output=True, text=True, check=True, env={"PATH": os.environ["PATH"]})
    assert ran.stdout.strip() == str(wrapper.parent)


def test_lean_sources_are_the_same_program_line_for_line() -> None:
    for path in sorted((ROOT / "serverless_guard").rglob("*.py")):
        source = path.read_bytes()
        lean = lean_source(source)
        assert lean.count(b"\n") == source.count(b"\n")
        assert program(lean) == program(source), path
        assert not [node for node in ast.walk(ast.parse(lean)) if isinstance(node, DOCUMENTED) and ast.get_docstring(node)], path
        assert b"\n#" not in lean


DOCUMENTED = ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef


def program(source: bytes) -> str:
    """A module and the line of everything in it, without what is left out."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            node.value = ast.Constant("")
        elif isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            node.returns = None
        elif isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = [ast.Pass()]
    return ast.dump(tree) + str([getattr(node, "lineno", 0) for node in ast.walk(tree)])


def test_no_module_of_the_layer_imports_one_that_is_left_out(zipped: build.Built) -> None:
    held = entries(zipped.path)
    modules = {name.removeprefix("python/")[:-3].replace("/", ".").removesuffix(".__init__") for name in held if name.endswith(".py")}
    for name, text in held.items():
        if not name.endswith(".py"):
            continue
        for node in ast.walk(ast.parse(text)):
            wanted = []
            if isinstance(node, ast.ImportFrom) and node.module:
                wanted = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names if node.module == "serverless_guard")]
            elif isinstance(node, ast.Import):
                wanted = [alias.name for alias in node.names]
            for module in wanted:
                if module.startswith("serverless_guard.") and not module.endswith(("__version__", ".guard", ".Guard")):
                    assert module in modules, f"{name} imports {module}"


def test_a_trace_from_bytecode_leads_to_the_function(zipped: build.Built, tmp_path: Path) -> None:
    opt = unpacked(Path(zipped.path), tmp_path / "opt")
    code = """
import traceback
from serverless_guard import policy
try:
    policy.build([("here", {"mode": 5})])
except ValueError as error:
    for frame in traceback.extract_tb(error.__traceback__)[1:]:
        print(frame.filename, frame.lineno == getattr(policy, frame.name).__code__.co_firstlineno)
"""
    ran = from_layer(opt, code)
    assert set(ran.stdout.splitlines()) == {f"{opt}/python/serverless_guard/policy.py True"}


def test_the_papers_are_in_the_layer(zipped: build.Built) -> None:
    held = entries(zipped.path)
    assert b"Apache License" in held["serverless-guard/LICENSE"]
    bill = json.loads(held["serverless-guard/sbom.cdx.json"])
    assert (bill["bomFormat"], bill["specVersion"], bill["components"]) == ("CycloneDX", "1.6", [])
    assert bill["metadata"]["component"]["version"] == serverless_guard.__version__


def changed(zip_path: str, out: Path, **changes: bytes | None) -> str:
    """A copy of a layer with some entries changed, added, or left out."""
    with zipfile.ZipFile(zip_path) as archive, zipfile.ZipFile(out, "w") as copy:
        for entry in archive.infolist():
            data = changes.get(entry.filename, archive.read(entry))
            if data is not None:
                copy.writestr(entry, data)
        for name, data in changes.items():
            if name not in archive.namelist() and data is not None:
                entry = zipfile.ZipInfo(name)
                entry.external_attr = 0o100644 << 16
                copy.writestr(entry, data)
    return str(out)


@pytest.mark.parametrize("options", [{}, {"whole": True}, {"pythons": ()}])
def test_a_layer_as_it_was_built_is_verified(options: dict[str, object], tmp_path: Path) -> None:
    built = build.build(str(tmp_path / "layer.zip"), **options)
    assert verify(built.path) == ((), ())


def test_a_layer_that_was_tampered_with_is_not_verified(zipped: build.Built, tmp_path: Path) -> None:
    changes: dict[str, tuple[bytes | None, str]] = {
        "/etc/passwd": (b"", "does not belong there"),
        "python/serverless_guard/__pycache__/backdoor.cpython-39.pyc": (b"", "does not belong there"),
        f"python/serverless_guard/__pycache__/decide.{sys.implementation.cache_tag}.pyc": (b"?", "is not what these sources make"),
        "python/serverless_guard/decide.py": (b"def judge(*_): pass\n", "is not what these sources make"),
        "python/sitecustomize.py": (b"", "does not belong there"),
        "serverless-guard/wrapper": (None, "is missing"),
    }
    checked = verify(changed(zipped.path, tmp_path / "changed.zip", **{name: data for name, (data, _) in changes.items()}))
    assert checked.problems == tuple(f"`{name}` {problem}" for name, (_, problem) in changes.items())


def test_bytecode_that_cannot_be_compared_is_named(zipped: build.Built, tmp_path: Path) -> None:
    name = "python/serverless_guard/__pycache__/decide.cpython-39.pyc"
    assert verify(changed(zipped.path, tmp_path / "changed.zip", **{name: b"?"})) == ((), ("cpython-39",))


def test_a_wrapper_that_lost_its_mode_is_a_problem(zipped: build.Built, tmp_path: Path) -> None:
    folder = unpacked(Path(zipped.path), tmp_path / "opt")
    (folder / "serverless-guard/wrapper").chmod(0o644)
    shutil.make_archive(str(tmp_path / "again"), "zip", folder)
    assert "`serverless-guard/wrapper` has mode 100644, not 100755" in verify(str(tmp_path / "again.zip")).problems


@pytest.mark.parametrize("data", [b"", b"no zip", b"PK\x03\x04" + b"\0" * 40])
def test_what_is_no_zip_is_a_problem_and_no_crash(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "layer.zip").write_bytes(data)
    assert verify(str(tmp_path / "layer.zip")).problems[0].startswith("it is no sound zip")
