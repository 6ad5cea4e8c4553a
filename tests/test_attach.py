"""Every way of attaching, in the real Lambda runtime client: what is guarded, and what a start says that cannot be."""

from __future__ import annotations

import json
import shutil
import sys
import venv
from pathlib import Path
from typing import Any

import pytest
from runtime import TIMEOUT_S
from runtime.events import http
from runtime.ways import BLOCK, PACKAGE, REDIRECT, USER_BASE, WAYS, WRAPPER

from serverless_guard.layer.build import FLAT

pytest.importorskip("awslambdaric", reason="the runtime client has no wheel for this machine")
pytest_plugins = ("runtime.fixtures",)


@pytest.mark.parametrize("way", ["layer by wrapper", "layer by PYTHONUSERBASE", "layer and no setting"])
@pytest.mark.parametrize("handler", ["plain.handler", "plain.handler_async", "plain.endpoint", "lambda/shop/orders.handler", "lambda/shop.orders.handler"])
def test_the_layer_guards_handlers_of_every_kind(way: str, handler: str, box: Any) -> None:
    function = box(way, BLOCK, handler=handler)
    assert function.invoke(http()).json["statusCode"] == 200
    assert function.invoke(http("/call")).json["statusCode"] == 403


@pytest.mark.parametrize("handler", ["plain.handler", "plain.handler_async", "plain.endpoint", "lambda/shop/orders.handler", "lambda.shop.orders.handler"])
def test_the_redirect_guards_handlers_of_every_kind(handler: str, box: Any) -> None:
    function = box("layer by redirect", {**BLOCK, "SERVERLESS_GUARD_HANDLER": handler})
    assert function.invoke(http()).json["statusCode"] == 200
    assert function.invoke(http("/call")).json["statusCode"] == 403


def test_a_decorated_coroutine_is_run_by_the_layer(box: Any) -> None:
    function = box("layer by wrapper", BLOCK, handler="decorated.handler_async")
    assert function.invoke(http()).json["statusCode"] == 200
    assert function.invoke(http("/call")).json["statusCode"] == 403


@pytest.mark.parametrize("way", WAYS)
def test_the_kill_switch_leaves_the_function_alone(way: str, box: Any) -> None:
    function = box(way, {**BLOCK, "SERVERLESS_GUARD_DISABLED": "1"})
    assert function.invoke(http(id="1' or 1=1 --")).json["statusCode"] == 200
    assert function.events() == []


@pytest.mark.parametrize("way", ["layer by wrapper", "layer by redirect", "layer and no setting"])
def test_a_coroutine_still_runs_under_the_kill_switch(way: str, box: Any) -> None:
    handler = {} if way == "layer by redirect" else {"handler": "plain.handler_async"}
    function = box(way, {"SERVERLESS_GUARD_DISABLED": "1", "SERVERLESS_GUARD_HANDLER": "plain.handler_async"}, **handler)
    assert function.invoke(http()).json["statusCode"] == 200


def test_the_kill_switch_also_works_where_the_guard_does_not_load(box: Any, layer: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(layer, broken)
    shutil.rmtree(broken / "python/serverless_guard")
    function = box("layer by wrapper", {"SERVERLESS_GUARD_DISABLED": "1"}, layer=broken)
    assert function.invoke(http()).json["statusCode"] == 200


@pytest.mark.parametrize("way", WAYS)
def test_a_mistake_in_the_policy_is_an_init_error_with_a_clear_message(way: str, box: Any) -> None:
    function = box(way, {"SERVERLESS_GUARD_MODE": "blok"})
    told = function.failed()
    assert told.kind == "init-error"
    assert "did you mean `block`" in told.json["errorMessage"]
    if way not in ("decorator", "all at once"):  # there the decorator fails first, while the module is imported
        assert told.json["errorMessage"].startswith("serverless_guard failed to start: ")
    assert told.json["errorType"] == "PolicyError"
    assert function.exit_status() == 1
    assert "did you mean `block`" in function.logs()


@pytest.mark.parametrize("way", ["layer by wrapper", "layer and no setting"])
def test_an_unknown_variable_is_an_init_error(way: str, box: Any) -> None:
    told = box(way, {"SERVERLESS_GUARD_EGRES": "api.stripe.com"}).failed()
    assert "unknown variable `SERVERLESS_GUARD_EGRES`" in told.json["errorMessage"]
    assert "`SERVERLESS_GUARD_EGRESS`" in told.json["errorMessage"]


@pytest.mark.parametrize(
    ("handler", "message"),
    [
        ("", "`SERVERLESS_GUARD_HANDLER` must name the handler"),
        ("app", "must be `module.function`"),
        ("plain.handlr", "did you mean `handler`"),
        ("nowhere.handler", "No module named 'nowhere'"),
        ("serverless_guard_handler.handler", "must name your own handler"),
    ],
)
def test_a_redirect_to_a_handler_that_does_not_exist_is_an_init_error(handler: str, message: str, box: Any) -> None:
    function = box("layer by redirect", {"SERVERLESS_GUARD_HANDLER": handler})
    told = function.failed()
    assert told.kind == "init-error"
    assert message in told.json["errorMessage"]
    assert function.exit_status() == 1


def test_a_handler_that_does_not_exist_is_the_runtime_clients_own_error(box: Any) -> None:
    told = box("layer by wrapper", handler="plain.nope").failed()
    assert told.json["errorType"] == "Runtime.HandlerNotFound"


def test_a_guard_that_does_not_load_is_an_init_error_and_never_silence(box: Any, layer: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(layer, broken)
    (broken / "python/serverless_guard/decorator.py").write_text("raise RuntimeError('a defect')\n")
    shutil.rmtree(broken / "python/serverless_guard/__pycache__")
    for way in ("layer by wrapper", "layer by PYTHONUSERBASE", "layer and no setting"):
        told = box(way, layer=broken).failed()
        assert told.json["errorMessage"] == "serverless_guard failed to start: a defect"
        assert told.json["errorType"] == "RuntimeError"


def test_a_layer_without_its_bootstrap_does_not_start(box: Any, layer: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(layer, broken)
    (broken / "python/serverless_guard_bootstrap.py").unlink()
    for way in ("layer by wrapper", "layer by PYTHONUSERBASE", "layer and no setting"):
        function = box(way, layer=broken)
        assert function.exit_status() == 1
        assert "serverless_guard failed to start: No module named 'serverless_guard_bootstrap'" in function.err.read_text()


def test_a_module_of_the_function_that_is_called_as_the_guard_is_an_init_error(box: Any) -> None:
    files = {"serverless_guard.py": "from plain import handler\n"}
    told = box("layer and no setting", files=files, handler="serverless_guard.handler").failed()
    assert told.json["errorMessage"].startswith("serverless_guard failed to start: No module named 'serverless_guard.decorator'")


def test_a_handler_that_is_guarded_twice_is_guarded_once(box: Any) -> None:
    once, twice = box("decorator", BLOCK), box("all at once", BLOCK)
    for function in (once, twice):
        assert function.invoke(http(id="1' or 1=1 --")).json["statusCode"] in (400, 403)
        assert function.invoke(http("/swallow")).json["statusCode"] == 403
    assert [event["metadata"]["event_code"] for event in once.events()] == [event["metadata"]["event_code"] for event in twice.events()]


@pytest.mark.parametrize("env", [WRAPPER, USER_BASE])
def test_a_search_path_of_the_users_own_does_not_keep_the_layer_out(env: dict[str, str], box: Any) -> None:
    function = box("layer and no setting", {**BLOCK, **env, "PYTHONPATH": "{task}/lambda"})
    assert function.invoke(http("/call")).json["statusCode"] == 403


def test_the_wrapper_also_attaches_where_user_folders_are_switched_off(box: Any) -> None:
    function = box("layer by wrapper", {**BLOCK, "PYTHONNOUSERSITE": "1", "PYTHONPATH": "{task}"})
    assert function.invoke(http("/call")).json["statusCode"] == 403


NEXT = {
    "one that sets the path and starts Python twice": """#!/bin/sh
export PYTHONPATH="$BOX_OPT/python:$LAMBDA_TASK_ROOT"
"$1" -c "print('other')"
exec "$@"
""",
    "one that redirects the handler": """#!/bin/sh
export ORIG_HANDLER=$_HANDLER
export _HANDLER=outer.handler
exec "$@"
""",
}
OUTER = """
import os
from importlib import import_module

module, name = os.environ["ORIG_HANDLER"].rsplit(".", 1)
inner = getattr(import_module(module), name)


def handler(event, context):
    print("other")
    return inner(event, context)
"""


@pytest.mark.parametrize("text", NEXT.values(), ids=NEXT)
def test_the_wrapper_hands_on_to_another_wrapper(text: str, box: Any, tmp_path: Path) -> None:
    other = tmp_path / "other wrapper"
    other.write_text(text)
    other.chmod(0o755)
    function = box("layer by wrapper", {**BLOCK, "SERVERLESS_GUARD_NEXT_WRAPPER": str(other)}, files={"outer.py": OUTER})
    assert function.invoke(http()).json["statusCode"] == 200
    assert function.invoke(http("/call")).json["statusCode"] == 403
    assert "other" in function.logs()


@pytest.mark.parametrize("name", ["/opt/nowhere", "/tmp", "{task}/plain.py"])
def test_a_next_wrapper_that_cannot_run_stops_the_start_with_a_clear_message(name: str, box: Any) -> None:
    function = box("layer by wrapper", {"SERVERLESS_GUARD_NEXT_WRAPPER": name})
    assert function.exit_status() == 126
    assert "serverless_guard failed to start: `" in function.err.read_text()


def test_a_tracer_that_resolves_the_handler_anew_each_time_gets_one_and_the_same(box: Any) -> None:
    tracer = """
import awslambdaric.bootstrap

def handler(event, context):
    first, second = (awslambdaric.bootstrap._get_handler("plain.handler") for _ in range(2))
    return {"same": first is second, "inner": first(event, context)}
"""
    function = box("layer by wrapper", BLOCK, files={"tracer.py": tracer}, handler="tracer.handler")
    answer = function.invoke(http()).json
    assert answer["same"] is True
    assert answer["inner"]["statusCode"] == 200
    assert function.invoke(http("/call")).json["statusCode"] == 403


@pytest.mark.parametrize("env", [USER_BASE, {}])
def test_an_image_without_awss_own_start_script_is_guarded_where_python_is_told(env: dict[str, str], box: Any) -> None:
    attached = bool(env)
    function = box("layer and no setting", {**BLOCK, **env}, start="container")
    answer = function.invoke(http(id="1' or 1=1 --")).json["statusCode"]
    assert (answer == 200) is not attached
    assert Path(sys.executable).exists()


def test_an_image_can_be_guarded_by_its_command_alone(box: Any) -> None:
    packages = (PACKAGE, PACKAGE / "layer" / "serverless_guard_handler.py")
    function = box("decorator", {**BLOCK, **REDIRECT}, packages=packages, start="container", handler="serverless_guard_handler.handler")
    assert function.invoke(http()).json["statusCode"] == 200
    assert function.invoke(http("/call")).json["statusCode"] == 403


def test_the_dockerfile_that_is_shipped_makes_a_guarded_function(box: Any) -> None:
    lines = (PACKAGE / "layer/Dockerfile").read_text().splitlines()
    env = dict(line.removeprefix("ENV ").split("=", 1) for line in lines if line.startswith("ENV "))
    (command,) = (json.loads(line.removeprefix("CMD ")) for line in lines if line.startswith("CMD "))
    copied = next(line.split()[1:-1] for line in lines if line.startswith("COPY "))
    files = {"app.py": "from plain import handler\n", "policy.json": json.dumps({"mode": "block", "egress": ["api.stripe.com:443"]})}
    assert copied == list(files)
    installed = (PACKAGE, *(PACKAGE / path for name, path in FLAT.items() if name == Path(path).name))
    function = box("decorator", env, packages=installed, files=files, start="container", handler=command[0])
    assert function.invoke(http()).json["statusCode"] == 200
    assert function.invoke(http("/call")).json["statusCode"] == 403


def test_in_a_virtual_environment_the_installed_wheel_attaches_by_itself(box: Any, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", symlinks=True)
    home = next((tmp_path / "venv/lib").glob("python3.*/site-packages"))
    (home / "serverless_guard").symlink_to(PACKAGE)
    for name, path in FLAT.items():
        (home / name).symlink_to(PACKAGE / path)
    function = box("layer and no setting", BLOCK, layer=None, start="container", python=str(tmp_path / "venv/bin/python"))
    assert function.invoke(http()).json["statusCode"] == 200
    assert function.invoke(http("/call")).json["statusCode"] == 403


SNAPSHOT = """
import sys
from snapshot_restore_py import get_after_restore, register_after_restore, register_before_snapshot

from plain import handler
from serverless_guard import shield

shield._grants[1] = {"stale.example": 2**60}  # as if a name had been looked up while the function started


@register_before_snapshot
def mine():
    print("before", len(shield._grants))


@register_after_restore
def also_mine():
    print("after", len(shield._grants), "serverless_guard.detectors.sqli" in sys.modules, get_after_restore()[0][0] is shield.forget)
"""


@pytest.mark.parametrize("way", ["layer by wrapper", "layer by redirect", "layer and no setting"])
def test_a_restored_snapshot_starts_with_the_detectors_loaded_and_no_old_addresses(way: str, box: Any) -> None:
    env = {**BLOCK, "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start", "SERVERLESS_GUARD_HANDLER": "snap.handler"}
    function = box(way, env, files={"snap.py": SNAPSHOT}, **({} if way == "layer by redirect" else {"handler": "snap.handler"}))
    assert function.api.restoring.wait(TIMEOUT_S)
    assert function.logs().split() == ["before", "1"]
    function.api.restore.set()
    assert function.invoke(http()).json["statusCode"] == 200
    assert function.logs().splitlines()[1] == "after 0 True True"
    assert function.invoke(http(id="1' or 1=1 --")).json["statusCode"] in (400, 403)
    assert function.invoke(http("/call")).json["statusCode"] == 403


def test_no_hook_of_the_guard_raises_around_a_snapshot(box: Any, layer: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(layer, broken)
    (broken / "python/serverless_guard/detectors/sqli.py").write_text("raise RuntimeError('a defect')\n")
    shutil.rmtree(broken / "python/serverless_guard/detectors/__pycache__")
    function = box("layer by wrapper", {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}, layer=broken)
    assert function.api.restoring.wait(TIMEOUT_S)
    function.api.restore.set()
    assert function.invoke(http()).json["statusCode"] == 200
