"""The policy: what may be said, where it may be said, what wins, and how a mistake is told."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serverless_guard import PolicyError, detectors, policy, sources
from serverless_guard.commands import schema as schema_command
from serverless_guard.loaders import beside, env, load
from serverless_guard.plan import read_policy
from serverless_guard.policy import Limits, Policy, Schemas

NAMES = (detectors.names(), sources.names())

EXAMPLES: dict[str, tuple[Any, str, Any]] = {
    "Version": (1, "1", 1),
    "Text": ("orders", "orders", "orders"),
    "Mode": ("block", "block", "block"),
    "ControlModes": ({"schema": "off"}, "schema=off", (("schema", "off"),)),
    "DetectModes": ({"sqli": "block"}, "sqli=block", (("sqli", "block"),)),
    "Names": (["sqs", "s3"], "sqs,s3", ("sqs", "s3")),
    "Schema": ("a.json", "a.json", "a.json"),
    "Size": (7, "7", 7),
    "Entries": (["a.example", "b.example:443"], "a.example, b.example:443", ("a.example", "b.example:443")),
    "OnRefuse": ("drop", "drop", "drop"),
    "OnError": ("monitor", "monitor", "monitor"),
    "Flag": (True, "yes", True),
}
"""For each kind of field a value in a file, the same in a variable, and what the model keeps."""


def built(*mappings: Any) -> Policy:
    return policy.build([(f"layer {index}", mapping) for index, mapping in enumerate(mappings)], *NAMES)


def mistake(*mappings: Any) -> PolicyError:
    with pytest.raises(PolicyError) as caught:
        built(*mappings)
    return caught.value


def at(made: Any, path: str) -> Any:
    for step in path.split("."):
        made = getattr(made, step)
    return made


def nested(path: str, value: Any) -> dict[str, Any]:
    head, _, rest = path.partition(".")
    return {head: nested(rest, value) if rest else value}


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in os.environ:
        if name.startswith(policy.ENV_PREFIX):
            monkeypatch.delenv(name)
    return monkeypatch


def test_nothing_said_is_the_default_policy() -> None:
    assert built() == built({}) == Policy()
    assert Policy().egress is None
    assert Policy().mode == ""


def test_a_policy_is_immutable_and_hashable_where_its_schemas_are_files() -> None:
    made = built({"mode": "block", "schema": "a.json", "egress": ["a.example"], "detect": {"sqli": "off"}})
    with pytest.raises(AttributeError):
        made.mode = "off"  # type: ignore[misc]  # that it cannot be set is what is tested
    assert hash(made) == hash(built({"detect": {"sqli": "off"}, "egress": ("a.example",), "schema": {"body": "a.json"}, "mode": "BLOCK "}))
    assert pickle.loads(pickle.dumps(made)) == made


def test_every_kind_has_an_example_and_every_example_a_kind() -> None:
    assert set(EXAMPLES) == set(policy.KINDS)


@pytest.mark.parametrize(("path", "kind"), [(path, kind) for path, kind, _ in policy.fields()])
def test_every_field_is_read_from_a_mapping_and_from_its_variable(path: str, kind: str, clean_environment: pytest.MonkeyPatch) -> None:
    given, variable, kept = EXAMPLES[kind]
    assert at(built(nested(path, given)), path) == kept
    clean_environment.setenv(policy.variable(path), variable)
    assert at(built(env.load()), path) == kept


@pytest.mark.parametrize("section", [Policy, Limits, Schemas])
def test_every_field_is_documented(section: Any) -> None:
    assert set(policy.documentation(section)) == set(section._fields)


@pytest.mark.parametrize(
    ("mapping", "path", "said"),
    [
        ({"mood": "block"}, "mood", "unknown setting `mood`, did you mean `mode`"),
        ({"limits": {"max_depht": 3}}, "limits.max_depht", "unknown setting `limits.max_depht`, did you mean `max_depth`"),
        ({"schema": {"bdy": "a.json"}}, "schema.bdy", "unknown setting `schema.bdy`, did you mean `body`"),
        ({"mode": "blok"}, "mode", "`mode` cannot be the string `blok`, did you mean `block`"),
        ({"source": "apigateway-htp"}, "source", "`source` `apigateway-htp` is no event source, did you mean `apigateway-http`"),
        ({"source": ["sqs", "snss"]}, "source[1]", "`source[1]` `snss` is no event source, did you mean `sns`"),
        ({"detect": {"sqlli": "off"}}, "detect.sqlli", "`detect.sqlli` is not known, did you mean `sqli`"),
        ({"detect": "sqlli=off"}, "detect.sqlli", "`detect.sqlli` is not known, did you mean `sqli`"),
        ({"detect": {"sqli": "on"}}, "detect.sqli", "`detect.sqli` must be one of `off`, `monitor`, `block`, not the string `on`"),
        ({"controls": {"egres": "off"}}, "controls.egres", "`controls.egres` is not known, did you mean `egress`"),
        ({"controls": {"egress": None}}, "controls.egress", "must be one of `off`, `monitor`, `block`, not null"),
        ({"egress": ["a.example", 443]}, "egress[1]", "`egress[1]` must be a string, not a number"),
        ({"egress": {"a": "b"}}, "egress", "`egress` must be a list of destinations, not an object"),
        ({"limits": {"max_depth": 0}}, "limits.max_depth", "`limits.max_depth` must be a whole number above zero, not a number"),
        ({"limits": {"max_depth": True}}, "limits.max_depth", "not a boolean"),
        ({"limits": {"max_depth": 6.5}}, "limits.max_depth", "not a number"),
        ({"limits": {"max_depth": "six"}}, "limits.max_depth", "not the string `six`"),
        ({"limits": []}, "limits", "`limits` must be an object, not a list"),
        ({"schema": False}, "schema", "`schema` must be an object, not a boolean"),
        ({"schema": {"body": 3}}, "schema.body", "`schema.body` must be a file name or a JSON Schema, not a number"),
        ({"version": 2}, "version", "`version` must be 1, not a number"),
        ({"name": "a\nb"}, "name", "`name` must be a string of at most 128 characters"),
        ({"preview": "maybe"}, "preview", "`preview` must be true or false, not the string `maybe`"),
        ({"on_refuse": "retry"}, "on_refuse", "known are `drop`, `fail`"),
        ({"on_error": 1}, "on_error", "`on_error` must be `block` or `monitor`, not a number"),
        ([], "", "`policy` must be an object, not a list"),
        (None, "", "`policy` must be an object, not null"),
        ({1: 2}, "1", "unknown setting `1`"),
    ],
)
def test_a_mistake_names_its_path_and_the_nearest_right_key(mapping: Any, path: str, said: str) -> None:
    error = mistake(mapping)
    assert said in str(error)
    assert error.path == path
    assert error.origin == "layer 0"
    assert str(error).endswith("(in layer 0)")
    assert pickle.loads(pickle.dumps(error)).path == path


def test_a_long_value_that_is_wrong_is_not_repeated() -> None:
    secret = "sk_live_0123456789abcdefghijklmnop"
    assert secret not in str(mistake({"mode": secret}))
    assert secret not in str(mistake({"limits": {"max_depth": secret}}))


def test_a_later_layer_wins_field_by_field_and_name_by_name() -> None:
    made = built(
        {"mode": "monitor", "limits": {"max_depth": 10, "max_keys": 20}, "detect": {"sqli": "off"}, "egress": ["a.example"], "source": "sqs"},
        {"limits": {"max_depth": 11}, "egress": []},
        {"mode": "block", "controls": "schema=off", "source": ["s3"]},
    )
    assert made.mode == "block"
    assert (made.limits.max_depth, made.limits.max_keys) == (11, 20)
    assert made.detect == (("sqli", "off"),)
    assert made.controls == (("schema", "off"),)
    assert made.egress == ()
    assert made.source == ("s3",)


def test_an_origin_is_that_of_the_layer_with_the_mistake() -> None:
    assert mistake({"mode": "block"}, {"mode": "blok"}).origin == "layer 1"


def test_no_egress_and_an_empty_egress_are_different() -> None:
    assert built({"egress": None}).egress is None
    assert built({"egress": []}).egress == ()


@pytest.mark.parametrize("schema", ["order.json", {"type": "object"}, {"$ref": "order.json"}, {"properties": {}, "$comment": "ours"}])
def test_one_schema_by_itself_is_that_of_the_body(schema: Any) -> None:
    assert built({"schema": schema}).schema == Schemas(body=schema)


def test_schemas_by_part_may_be_booleans_files_and_objects() -> None:
    made = built({"schema": {"body": {"type": "object"}, "query": False, "path": "p.json", "$comment": "each its own"}}).schema
    assert made == Schemas(body={"type": "object"}, query=False, path="p.json")


def test_comments_are_skipped_at_every_level() -> None:
    assert built({"$schema": "x", "$comment": [1], "limits": {"$comment": "why", "max_depth": 3}}).limits.max_depth == 3
    assert mistake({"limits": {"$schema": "x"}}).path == "limits.$schema"


def test_one_string_may_not_be_longer_than_the_whole_event() -> None:
    assert built({"limits": {"max_bytes": 1000}}).limits.max_string == 1000


def test_any_mapping_may_be_a_policy() -> None:
    assert built(MappingProxyType({"mode": "off", "limits": MappingProxyType({"max_depth": 2})})).limits.max_depth == 2


# Variables


@pytest.mark.parametrize("name", ["SERVERLESS_GUARD_MOED", "SERVERLESS_GUARD_", "SERVERLESS_GUARD_LIMITS", "SERVERLESS_GUARD_LIMITS_MAX"])
def test_a_variable_that_is_no_field_is_a_mistake(name: str, clean_environment: pytest.MonkeyPatch) -> None:
    clean_environment.setenv(name, "1")
    with pytest.raises(PolicyError, match=r"^unknown variable `") as caught:
        env.load()
    assert caught.value.path == name
    assert "(in the environment)" in str(caught.value)


def test_a_variable_with_a_typo_is_told_the_nearest(clean_environment: pytest.MonkeyPatch) -> None:
    clean_environment.setenv("SERVERLESS_GUARD_LIMITS_MAX_DEPHT", "1")
    with pytest.raises(PolicyError) as caught:
        env.load()
    assert "did you mean `SERVERLESS_GUARD_LIMITS_MAX_DEPTH`" in str(caught.value)


def test_switches_are_no_fields_and_an_empty_variable_says_nothing(clean_environment: pytest.MonkeyPatch) -> None:
    for switch in policy.SWITCHES:
        clean_environment.setenv(policy.ENV_PREFIX + switch, "x")
    clean_environment.setenv("SERVERLESS_GUARD_MODE", "")
    assert env.load() == {}


def test_the_body_has_a_short_variable_beside_those_of_each_part(clean_environment: pytest.MonkeyPatch) -> None:
    clean_environment.setenv("SERVERLESS_GUARD_SCHEMA", "a.json")
    assert built(env.load()).schema == Schemas(body="a.json")
    clean_environment.setenv("SERVERLESS_GUARD_SCHEMA_QUERY", "q.json")
    assert built(env.load()).schema == Schemas(body="a.json", query="q.json")


@pytest.mark.parametrize(
    ("value", "is_off"), [("1", True), ("true", True), ("YES", True), ("whatever", True), ("0", False), ("false", False), (" off ", False), ("", False)]
)
def test_the_kill_switch_counts_as_set_unless_it_clearly_is_not(value: str, is_off: bool, clean_environment: pytest.MonkeyPatch) -> None:
    clean_environment.setenv("SERVERLESS_GUARD_DISABLED", value)
    assert env.disabled() is is_off


# Files


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("p.json", '{"mode": "block", "limits": {"max_depth": 5}}'),
        ("p.toml", 'mode = "block"\n[limits]\nmax_depth = 5\n'),
        ("p.yaml", "mode: block\nlimits:\n  max_depth: 5\n"),
        ("p.yml", "{mode: block, limits: {max_depth: 5}}"),
        ("P.JSON", '\ufeff{"mode": "block", "limits": {"max_depth": 5}}'),
    ],
)
def test_a_policy_is_json_toml_or_yaml(name: str, text: str, tmp_path: Path) -> None:
    if name.endswith(("yaml", "yml")):
        pytest.importorskip("yaml")
    (tmp_path / name).write_text(text, encoding="utf-8")
    expected = Policy(mode="block", limits=Limits(max_depth=5))
    assert built(load(str(tmp_path / name))) == expected
    assert built(load(f"file:{tmp_path / name}")) == expected


def test_a_policy_may_be_json_text_itself() -> None:
    assert load(' {"mode": "off"}') == {"mode": "off"}


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("p.json", b'{"mode": "block",\n  "limits": }', "is no JSON: expecting value at line 2 column 13"),
        ("p.json", b"", "is no JSON"),
        ("p.json", b'{"mode": "off", "mode": "block"}', "`mode` stands twice in one object"),
        ("p.json", b"[1]", "a policy must be an object"),
        ("p.json", b"[" * 200_000, "is nested too deeply"),
        ("p.json", b"\xff\xfe\x00", "is not UTF-8 text"),
        ("p.json", b" " * 1_000_001, "is larger than 1000000 characters"),
        ("p.json", b'{"limits": {"max_keys": ' + b"9" * 5000 + b"}}", "holds a number or a date that Python cannot read"),
        ("p.toml", b"a = " + b"[" * 20_000, "is n"),
        ("p.yaml", b"a: " + b"[" * 20_000, "is n"),
        ("p.yaml", b"name: 2026-99-99", "holds a number or a date that Python cannot read"),
        ("p.toml", b"mode = block", "is no TOML"),
        ("p.toml", b'mode = "off"\nmode = "block"', "is no TOML"),
        ("p.yaml", b"mode: [block", "is no YAML: line 1 column"),
        ("p.yaml", b"- mode", "a policy must be an object"),
        ("p.yaml", b"!!python/object/apply:os.system ['true']", "is no YAML"),
        ("p.ini", b"mode = block", "must end in `.json`, `.toml` or `.yaml`"),
    ],
)
def test_a_file_that_is_no_policy_is_one_sentence_with_its_place(name: str, data: bytes, said: str, tmp_path: Path) -> None:
    if name.endswith("yaml"):
        pytest.importorskip("yaml")
    (tmp_path / name).write_bytes(data)
    with pytest.raises(PolicyError) as caught:
        load(str(tmp_path / name))
    assert said in str(caught.value)
    assert str(tmp_path / name) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    for path, why in ((tmp_path / "none.json", "no such file"), (tmp_path / "folder.json", "is a directory")):
        if "folder" in path.name:
            path.mkdir()
        with pytest.raises(PolicyError, match=why):
            load(str(path))


def test_two_policies_in_one_folder_are_a_mistake(tmp_path: Path) -> None:
    assert beside(str(tmp_path)) == ""
    (tmp_path / "serverless-guard.toml").write_text("")
    assert beside(str(tmp_path)) == str(tmp_path / "serverless-guard.toml")
    (tmp_path / "serverless-guard.json").write_text("{}")
    with pytest.raises(PolicyError, match="keep one"):
        beside(str(tmp_path))


# What wins


def test_argument_over_environment_over_file_over_default(tmp_path: Path, clean_environment: pytest.MonkeyPatch) -> None:
    (tmp_path / "serverless-guard.json").write_text('{"name": "file", "mode": "off", "limits": {"max_depth": 3}, "on_refuse": "drop"}')
    clean_environment.setenv("SERVERLESS_GUARD_MODE", "monitor")
    clean_environment.setenv("SERVERLESS_GUARD_NAME", "environment")
    made, folder = read_policy({"mode": "block", "source": None}, str(tmp_path))
    assert (made.mode, made.name, made.limits.max_depth, made.on_refuse, made.on_error) == ("block", "environment", 3, "drop", "")
    assert folder == str(tmp_path)


def test_the_file_is_the_named_one_then_that_beside_the_handler_then_that_of_the_function(tmp_path: Path, clean_environment: pytest.MonkeyPatch) -> None:
    beside, root, other = tmp_path / "beside", tmp_path / "root", tmp_path / "other"
    for folder in (beside, root, other):
        folder.mkdir()
        (folder / "serverless-guard.json").write_text(json.dumps({"name": folder.name}))
    clean_environment.setenv("LAMBDA_TASK_ROOT", str(root))
    assert read_policy({}, str(beside))[0].name == "beside"
    (beside / "serverless-guard.json").unlink()
    assert read_policy({}, str(beside))[0].name == "root"
    clean_environment.setenv("SERVERLESS_GUARD_POLICY", str(other / "serverless-guard.json"))
    assert read_policy({}, str(beside)) == (Policy(name="other"), str(other))
    assert read_policy({"policy": {"name": "argument"}}, str(beside)) == (Policy(name="argument"), str(beside))
    assert read_policy({"policy": "../root/serverless-guard.json"}, str(beside))[0].name == "root"


def test_a_mistake_says_whether_file_variable_or_argument_has_it(tmp_path: Path, clean_environment: pytest.MonkeyPatch) -> None:
    (tmp_path / "serverless-guard.json").write_text('{"mode": "blok"}')
    with pytest.raises(PolicyError, match=r"\(in serverless-guard.json\)"):
        read_policy({}, str(tmp_path))
    clean_environment.setenv("SERVERLESS_GUARD_MODE", "blok")
    with pytest.raises(PolicyError, match=r"\(in the environment\)"):
        read_policy({}, "")
    clean_environment.delenv("SERVERLESS_GUARD_MODE")
    with pytest.raises(PolicyError, match=r"\(in the arguments of `guard`\)"):
        read_policy({"mode": "blok"}, "")


# The JSON Schema of it


def test_the_shipped_schema_is_the_one_that_the_model_gives() -> None:
    shipped = Path(policy.__file__).with_name("policy.schema.json").read_text()
    assert shipped == schema_command.text(), "run `python -m serverless_guard schema > serverless_guard/policy.schema.json`"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 70) | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=6), children, max_size=3),
    max_leaves=6,
)
MODES = st.sampled_from([*policy.MODES, "on"])
LIKELY = {
    "Version": st.just(1),
    "Text": st.text(max_size=5),
    "Mode": MODES,
    "ControlModes": st.dictionaries(st.sampled_from([*policy.CONTROLS, "other"]), MODES, max_size=2),
    "DetectModes": st.dictionaries(st.sampled_from([*detectors.names(), "other"]), MODES, max_size=2),
    "Names": st.lists(st.sampled_from([*sources.names(), "other"]), max_size=2),
    "Schemas": st.dictionaries(
        st.sampled_from([*Schemas._fields, "type", "$comment", "other"]), st.sampled_from([None, True, "a.json", {"type": "object"}]), max_size=3
    ),
    "Limits": st.dictionaries(st.sampled_from([*Limits._fields, "other"]), st.integers(-1, 5), max_size=2),
    "Entries": st.none() | st.lists(st.sampled_from(["a.example", "10.0.0.0/8"]), max_size=2),
    "OnRefuse": st.sampled_from(["", "fail", "drop", "retry"]),
    "OnError": st.sampled_from(["", "block", "monitor", "off"]),
    "Flag": st.booleans(),
}
POLICIES = st.fixed_dictionaries(
    {}, optional={name: LIKELY[kind] | JSON for name, kind in policy.kinds(Policy).items()} | {"other": JSON, "$comment": JSON, "$schema": st.text()}
)


@pytest.fixture(scope="module")
def validator() -> Any:
    judge = pytest.importorskip("jsonschema").Draft202012Validator(schema_command.schema())
    return lambda mapping: judge.is_valid(mapping)  # a fixture that shows itself in few words


@given(mapping=POLICIES)
def test_what_the_schema_allows_the_model_takes_and_what_the_model_refuses_the_schema_refuses(validator: Any, mapping: Mapping[str, Any]) -> None:
    try:
        built(mapping)
    except PolicyError as error:
        assert not validator(mapping), f"the model refuses what its schema allows: {error}"


@given(mapping=POLICIES)
def test_what_the_model_writes_back_its_schema_allows(validator: Any, mapping: Mapping[str, Any]) -> None:
    try:
        made = built(mapping)
    except PolicyError:
        return
    said = made._asdict() | {"schema": made.schema._asdict(), "limits": made.limits._asdict(), "controls": dict(made.controls), "detect": dict(made.detect)}
    said |= {"source": list(made.source), "egress": None if made.egress is None else list(made.egress)}
    assert validator(said)
    assert built(said) == made


def test_the_schema_of_a_policy_is_a_schema() -> None:
    pytest.importorskip("jsonschema").Draft202012Validator.check_schema(schema_command.schema())
