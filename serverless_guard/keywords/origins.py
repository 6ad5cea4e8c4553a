"""Where schemas come from: a mapping, JSON text, a file, a package, an OpenAPI document, a class that exports its own.

An `Origin` remembers the text of everything it read, by names that hold on every machine. Nothing is fetched.
"""

from __future__ import annotations

import json
import os

from serverless_guard.errors import PolicyError
from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

ESCAPES = (("%", "%25"), ("#", "%23"), ("?", "%3F"), (" ", "%20"))
VERBS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
MEDIA = ("application/json", "application/*+json", "*/*")


class Origin:
    """One root schema and the files beside it."""

    __slots__ = ("_documents", "_told", "folder", "fragment", "name", "parsed", "root", "texts", "uri")

    def __init__(self, reference: Any, base: str, told: str, documents: Mapping[str, Any]) -> None:
        self.folder = os.path.abspath(base or os.curdir)
        self.texts: dict[str, str] = {}  # name relative to the folder -> text as it was read; "" for the reference itself
        self.parsed: dict[str, Any] = {}  # the same, parsed
        self.name = ""
        self.fragment = ""  # JSON pointer into the root, for a document that is more than one schema
        self._told = told
        self._documents = documents
        if isinstance(reference, str) and not reference.lstrip().startswith("{"):
            path, self.fragment = self._path(reference)
            self.name = self.relative(location(path))
            self.root = self._file(path, reference)
        else:
            self.texts[""] = self._text(reference)
            self.root = self.parsed[""] = self._parsed(self.texts[""], "the schema")
        self.uri = f"{location(self.folder)}/{self.name}"

    def find(self, uri: str) -> Any:
        """A document that a reference names: one that was handed in, a file, or a meta-schema of the drafts from jsonschema's data."""
        document = self._documents.get(uri, self._documents.get(uri + "#"))
        if document is not None:
            return self._keep(uri, json.dumps(document), document)
        if uri.startswith("file://"):
            path = place(uri)
            return self._file(path, self.relative(uri)) if os.path.isfile(path) else None
        if uri.startswith(("https://json-schema.org/draft", "http://json-schema.org/draft")) and installed("jsonschema_specifications"):
            from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]  # it ships no stubs

            found = REGISTRY.get(uri) or REGISTRY.get(uri + "#")
            if found is not None:
                return self._keep(uri, json.dumps(found.contents), found.contents)
        return None

    def _keep(self, name: str, text: str, parsed: Any) -> Any:
        self.texts[name], self.parsed[name] = text, parsed
        return parsed

    def relative(self, uri: str) -> str:
        """A document's name on every machine: a file's relative to the folder, any other URI as it is."""
        return os.path.relpath(place(uri), self.folder).replace(os.sep, "/") if uri.startswith("file://") else uri

    def _path(self, reference: str) -> tuple[str, str]:
        """`(path, fragment)` of a file, or of one inside a package: `package:shop/schemas/order.json`."""
        fragment = ""
        if "#" in reference and not os.path.isfile(os.path.join(self.folder, reference)):
            reference, _, fragment = reference.partition("#")
        if not reference.startswith("package:"):
            return os.path.normpath(os.path.join(self.folder, reference)), fragment
        from importlib.util import find_spec

        package, _, inside = reference.removeprefix("package:").partition("/")
        try:
            spec = find_spec(package)
        except (ImportError, ValueError):
            spec = None
        if spec is None or not spec.submodule_search_locations:
            raise PolicyError(f"there is no package `{package}` to read the schema from", "", self._told)
        return os.path.join(next(iter(spec.submodule_search_locations)), inside), fragment

    def _file(self, path: str, name: str) -> Any:
        try:
            with open(path, encoding="utf-8") as file:
                text = file.read()
        except (OSError, ValueError) as error:
            raise PolicyError(f"cannot read the schema `{name}`: {getattr(error, 'strerror', None) or 'not a text file'}", "", self._told) from None
        parsed = self._yaml(text, name) if path.endswith((".yaml", ".yml")) else self._parsed(text, f"the schema `{name}`")
        return self._keep(self.relative(location(path)), text, parsed)

    def _text(self, reference: Any) -> str:
        if isinstance(reference, str):
            return reference
        try:
            own = reference if isinstance(reference, bool) else exported(reference)
            return json.dumps(own, allow_nan=False)  # a copy of its own: a check is immutable
        except (TypeError, ValueError, RecursionError):
            raise PolicyError("a schema must be an object of JSON values, `true` or `false`, or the name of a file", "", self._told) from None

    def _parsed(self, text: str, name: str) -> Any:
        try:
            return json.loads(text, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            where = f": line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
            raise PolicyError(f"{name} is not JSON{where}", "", self._told) from None

    def _yaml(self, text: str, name: str) -> Any:
        if not installed("yaml"):
            raise PolicyError(f"the schema `{name}` is YAML, which needs the package `PyYAML`", "", self._told)
        import yaml

        try:
            return json.loads(json.dumps(yaml.safe_load(text), default=str))
        except (yaml.YAMLError, TypeError, ValueError):
            raise PolicyError(f"the schema `{name}` is not YAML", "", self._told) from None


def exported(reference: Any) -> Any:
    """The JSON Schema of a mapping (itself), of a Pydantic model, or of a dataclass, a TypedDict or another type by way of Pydantic."""
    if hasattr(reference, "model_json_schema"):
        return reference.model_json_schema()
    if isinstance(reference, type) and installed("pydantic"):
        from pydantic import TypeAdapter

        return TypeAdapter(reference).json_schema()
    return dict(reference)


def openapi(root: Any) -> str:
    """The draft of an OpenAPI document's schemas; empty for any other document."""
    version = root.get("openapi") if isinstance(root, dict) else None
    if not isinstance(version, str):
        return ""
    return "openapi-3.0" if version.startswith("3.0") else "2020-12"


def operations(root: Any) -> dict[str, str]:
    """The JSON body of every operation of an OpenAPI document: `{"POST /orders": JSON pointer to its schema}`."""
    found: dict[str, str] = {}
    paths = root.get("paths")
    for path, item in paths.items() if isinstance(paths, dict) else ():
        for verb in VERBS:
            operation = item.get(verb) if isinstance(item, dict) else None
            body = operation.get("requestBody") if isinstance(operation, dict) else None
            pointer = f"/paths/{path.replace('~', '~0').replace('/', '~1')}/{verb}/requestBody"
            while isinstance(body, dict) and isinstance(body.get("$ref"), str) and body["$ref"].startswith("#/"):
                pointer = body["$ref"][1:]
                body = _at(root, pointer)
            content = body.get("content") if isinstance(body, dict) else None
            media = next((media for media in MEDIA if isinstance(content, dict) and media in content), None)
            if media and isinstance(content, dict) and "schema" in (content[media] or {}):
                found[f"{verb.upper()} {path}"] = f"{pointer}/content/{media.replace('/', '~1')}/schema"
    return found


def location(path: str) -> str:
    """A file's URI."""
    for sign, escape in ESCAPES:
        path = path.replace(sign, escape)
    return f"file://{path}"


def place(uri: str) -> str:
    """The file that a URI names."""
    path = uri[len("file://") :]
    for sign, escape in reversed(ESCAPES):
        path = path.replace(escape, sign)
    return path


def installed(name: str) -> bool:
    """Whether a package could be imported, without doing so."""
    from importlib.util import find_spec

    try:
        return find_spec(name) is not None
    except ValueError:  # blocked: None in sys.modules
        return False


def _at(root: Any, pointer: str) -> Any:
    for step in pointer.split("/")[1:]:
        root = root.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(root, dict) else None
    return root


def _refuse(name: str) -> Any:
    raise ValueError(name)
