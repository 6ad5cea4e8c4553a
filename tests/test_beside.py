"""The guard beside the products of others: Datadog, OpenTelemetry, Sentry, New Relic, where the machine has them."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from runtime.events import http
from runtime.ways import BLOCK

pytest.importorskip("awslambdaric", reason="the runtime client has no wheel for this machine")
pytest_plugins = ("runtime.fixtures",)


VERSIONED = f"python/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"


def beside(layer: Path, folder: Path, *distributions: str) -> Path:
    """The layer merged with one that brings these packages, as Lambda lays layers over one another."""
    opt = folder / "opt"
    shutil.copytree(layer, opt)
    home = opt / VERSIONED
    home.mkdir(parents=True)
    for name in distributions:
        spec = importlib.util.find_spec(name.partition(".")[0])
        assert spec is not None
        for source in Path(next(iter(spec.submodule_search_locations or [spec.origin or ""]))).parent.iterdir():
            if source.suffix != ".pth" and not source.name.startswith(("serverless_guard", "awslambdaric", "_")) and not (home / source.name).exists():
                (home / source.name).symlink_to(source)
    return opt


OTEL_WRAPPER = f"""#!/bin/sh
export PYTHONPATH="$LAMBDA_RUNTIME_DIR:$BOX_OPT/python:$BOX_OPT/{VERSIONED}:$PYTHONPATH"
export ORIG_HANDLER=$_HANDLER
export _HANDLER=otel_wrapper.lambda_handler
python=$1
shift
exec "$python" -c "from opentelemetry.instrumentation.auto_instrumentation import run; run()" "$python" "$@"
"""
OTEL_HANDLER = """
import os
from importlib import import_module

from opentelemetry.instrumentation.aws_lambda import AwsLambdaInstrumentor

AwsLambdaInstrumentor().instrument()
module, name = os.environ["ORIG_HANDLER"].rsplit(".", 1)
lambda_handler = getattr(import_module(module), name)
"""
SENTRY_HANDLER = """
import os
from importlib import import_module

import sentry_sdk
from sentry_sdk.integrations.aws_lambda import AwsLambdaIntegration

sentry_sdk.init(os.environ["SENTRY_DSN"], integrations=[AwsLambdaIntegration(timeout_warning=True)], traces_sample_rate=1.0, shutdown_timeout=0)


def sentry_lambda_handler(event, context):
    module, name = os.environ["SENTRY_INITIAL_HANDLER"].rsplit(".", 1)
    return getattr(import_module(module), name)(event, context)
"""
NEWRELIC_HANDLER = """
import os
from importlib import import_module

from newrelic_lambda.lambda_handler import lambda_handler

module, name = os.environ["NEW_RELIC_LAMBDA_HANDLER"].rsplit(".", 1)
handler = lambda_handler()(getattr(import_module(module), name))
"""
OTHERS: dict[str, dict[str, Any]] = {
    "datadog_lambda": {
        "handler": "datadog_lambda.handler.handler",
        "env": {"DD_LAMBDA_HANDLER": "plain.handler", "DD_API_KEY": "key", "DD_FLUSH_TO_LOG": "true"},
    },
    "sentry_sdk": {
        "handler": "init_serverless_sdk.sentry_lambda_handler",
        "env": {"SENTRY_INITIAL_HANDLER": "plain.handler", "SENTRY_DSN": "http://key@127.0.0.1:9/1"},
        "files": {"init_serverless_sdk.py": SENTRY_HANDLER},
    },
    "newrelic_lambda": {
        "handler": "newrelic_lambda_wrapper.handler",
        "env": {"NEW_RELIC_LAMBDA_HANDLER": "plain.handler", "NEW_RELIC_ACCOUNT_ID": "1", "NEW_RELIC_LICENSE_KEY": "0" * 40},
        "files": {"newrelic_lambda_wrapper.py": NEWRELIC_HANDLER},
    },
    "opentelemetry.instrumentation.aws_lambda": {
        "env": {"OTEL_TRACES_EXPORTER": "console", "OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"},
        "files": {"otel_wrapper.py": OTEL_HANDLER},
    },
}
"""Each with the few lines that its own layer has around the package."""


@pytest.mark.parametrize("way", ["layer by wrapper", "layer by PYTHONUSERBASE", "layer by redirect"])
@pytest.mark.parametrize("product", OTHERS)
def test_the_guard_and_the_products_of_others_work_side_by_side(product: str, way: str, box: Any, layer: Path, tmp_path: Path) -> None:
    pytest.importorskip(product.partition(".")[0])
    pytest.importorskip(product, reason=f"`{product}` is not installed")
    how = dict(OTHERS[product])
    env = {**BLOCK, **how.pop("env")}
    if way == "layer by redirect":
        own = [name for name in env if name.endswith("_HANDLER") and not name.startswith("SERVERLESS_GUARD_")]
        env.update(dict.fromkeys(own, "serverless_guard_handler.handler"))
        how.setdefault("handler", "serverless_guard_handler.handler")
    if product.startswith("opentelemetry"):
        wrapper = tmp_path / "otel-instrument"
        wrapper.write_text(OTEL_WRAPPER)
        wrapper.chmod(0o755)
        env["SERVERLESS_GUARD_NEXT_WRAPPER" if way == "layer by wrapper" else "AWS_LAMBDA_EXEC_WRAPPER"] = str(wrapper)
    function = box(way, env, layer=beside(layer, tmp_path, product), **how)
    assert function.invoke(http()).json.get("statusCode") == 200, function.logs() + function.err.read_text()
    assert function.invoke(http("/call")).json.get("statusCode") == 403, function.logs()
    assert function.invoke(http(id="1' or 1=1 --")).json["statusCode"] in (400, 403)
    if product.startswith(("datadog", "opentelemetry")):
        assert '"trace_id"' in function.logs(), "the other product is at work too"
