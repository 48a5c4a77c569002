"""From a pydantic model to the structural schema of a CRD.

Pydantic's JSON schema speaks with references, titles and `anyOf` with null; an API server wants none of them
(Kubernetes, "Specifying a structural schema"). An absent optional field is simply absent.
"""

from typing import Any, Final

from pydantic import BaseModel

from algo_crds.resources.catalog import Kind
from algo_crds.resources.metadata import GROUP, VERSION
from algo_crds.resources.rules import (
    REQUIRED_MESSAGE,
    VALIDATIONS,
    Part,
    Schema,
    cel_rules,
    required_messages,
)

_DROPPED: Final = frozenset({"title", "additionalProperties", "const", REQUIRED_MESSAGE})


def crd(kind: Kind) -> Schema:
    """The CustomResourceDefinition of a kind."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": {
                "kind": kind.name,
                "listKind": f"{kind.name}List",
                "plural": kind.plural,
                "singular": kind.name.lower(),
                "shortNames": [kind.short],
                "categories": ["algo"],
            },
            "scope": "Namespaced" if kind.namespaced else "Cluster",
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": _root(kind.model)},
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": [
                        {"name": column.name, "type": column.type, "jsonPath": column.path}
                        | {"description": column.description}
                        | ({"priority": column.priority} if column.priority else {})
                        for column in kind.columns
                    ],
                }
            ],
        },
    }


def _root(model: type[Part]) -> Schema:
    fields = model.model_fields
    root: Schema = {
        "type": "object",
        "description": (model.__doc__ or "").strip(),
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": _inlined(_part(fields["spec"].annotation), fields["spec"].description),
            "status": _inlined(_part(fields["status"].annotation), fields["status"].description),
        },
    }
    rules = cel_rules(model.rules) + cel_rules(model.transitions)
    return root | ({VALIDATIONS: rules} if rules else {})


def _part(annotation: Any) -> type[Part]:
    for candidate in (annotation, *getattr(annotation, "__args__", ())):
        if isinstance(candidate, type) and issubclass(candidate, Part):
            return candidate
    raise TypeError(f"{annotation!r} is no part of a resource")


def _inlined(model: type[Part], description: str | None) -> Schema:
    schema = model.model_json_schema(by_alias=True)
    definitions = schema.pop("$defs", {})
    models = {model.__name__: model} | _models(model)
    node = _clean(schema | {"description": description or schema.get("description", "")}, definitions, models)
    return _with_rules(node, model)


def _models(model: type[BaseModel]) -> dict[str, type[Part]]:
    """All parts below a model, by name."""
    found: dict[str, type[Part]] = {}

    def visit(annotation: Any) -> None:
        if isinstance(annotation, type) and issubclass(annotation, Part) and annotation.__name__ not in found:
            found[annotation.__name__] = annotation
            for field in annotation.model_fields.values():
                visit(field.annotation)
        for argument in getattr(annotation, "__args__", ()):
            visit(argument)

    for field in model.model_fields.values():
        visit(field.annotation)
    return found


def _with_rules(node: Schema, model: type[Part]) -> Schema:
    explained = required_messages(model)
    aliases = {name: field.alias or name for name, field in model.model_fields.items()}
    rules: list[Schema] = [
        {"rule": f"has(self.{aliases[name]})", "message": message} for name, message in explained.items()
    ]
    rules += cel_rules(model.rules)
    required = [name for name in node.pop("required", []) if name not in {aliases[key] for key in explained}]
    return node | ({"required": required} if required else {}) | ({VALIDATIONS: rules} if rules else {})


def _clean(node: Schema, definitions: dict[str, Schema], models: dict[str, type[Part]]) -> Schema:
    """A node without references, titles and null; a field's own words win over those of its type."""
    own = {key: value for key, value in node.items() if key not in {"$ref", "anyOf"}}
    if "$ref" in node:
        name = node["$ref"].rsplit("/", 1)[1]
        target = _clean(definitions[name], definitions, models)
        if name in models:
            target = _with_rules(target, models[name])
        return target | _scrub(own)
    if "anyOf" in node:
        choices = [choice for choice in node["anyOf"] if choice.get("type") != "null"]
        if len(choices) != 1:
            raise TypeError(f"a structural schema has no place for a choice of types: {node!r}")
        return _clean(choices[0], definitions, models) | _scrub(own)
    cleaned = _scrub(own)
    if "properties" in cleaned:
        cleaned["properties"] = {
            name: _clean(child, definitions, models) for name, child in cleaned["properties"].items()
        }
    if "items" in cleaned:
        cleaned["items"] = _clean(cleaned["items"], definitions, models)
    return cleaned


def _scrub(node: Schema) -> Schema:
    kept = {key: value for key, value in node.items() if key not in _DROPPED}
    if kept.get("default", ...) in (None, "", []):
        kept.pop("default", None)
    if kept.get("type") == "integer":
        kept.setdefault("format", "int64")
    return kept
