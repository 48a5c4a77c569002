"""The committed YAML is what the models say, every field is described, and the schemas are structural."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from algo_crds import generate
from algo_crds.resources.catalog import KINDS
from algo_crds.resources.schema import crd

FORBIDDEN = {"$ref", "anyOf", "oneOf", "allOf", "title", "additionalProperties", "x-kubernetes-preserve-unknown-fields"}


def nodes(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}")
    if "items" in schema:
        yield from nodes(schema["items"], f"{path}[]")


def schema_of(kind: Any) -> dict[str, Any]:
    schema: dict[str, Any] = crd(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def test_committed_files_are_up_to_date() -> None:
    assert generate.main(["--check"]) == 0


def test_the_check_fails_when_yaml_and_models_differ(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate, "MANIFESTS", tmp_path / "manifests")
    monkeypatch.setattr(generate, "CHART", tmp_path / "chart")
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
    changed = tmp_path / "manifests" / "strategies.algo.trading.yaml"
    changed.write_text(changed.read_text().replace("self >= 1", "self >= 0"))
    (tmp_path / "chart" / "old.yaml").write_text("{}")
    assert generate.main(["--check"]) == 1
    said = capsys.readouterr().err
    assert "strategies.algo.trading.yaml" in said
    assert "old.yaml" in said


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_field_is_described_and_structural(kind: Any) -> None:
    for path, node in nodes(schema_of(kind)):
        assert not FORBIDDEN & node.keys(), path
        assert "type" in node, path
        if path.startswith((".spec", ".status")) and not path.endswith("[]"):
            assert node.get("description"), path


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_strings_and_lists_of_the_spec_are_bounded(kind: Any) -> None:
    """Cost limits of CEL, and of etcd."""
    for path, node in nodes(schema_of(kind)):
        if not path.startswith((".spec", ".status")):
            continue
        if node["type"] == "string" and "enum" not in node and node.get("format") != "date-time":
            assert "maxLength" in node, path
        if node["type"] == "array":
            assert "maxItems" in node, path


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_names(kind: Any) -> None:
    manifest = crd(kind)
    names = manifest["spec"]["names"]
    assert manifest["metadata"]["name"] == f"{kind.plural}.algo.trading"
    assert names["categories"] == ["algo"]
    assert names["shortNames"] == [{"Strategy": "strat", "BrokerAccount": "brk"}.get(kind.name, kind.short)]
    version = manifest["spec"]["versions"][0]
    assert version["subresources"] == {"status": {}}
    assert all(column["description"] for column in version["additionalPrinterColumns"])


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_conditions_are_a_map_by_type(kind: Any) -> None:
    conditions = schema_of(kind)["properties"]["status"]["properties"]["conditions"]
    assert conditions["x-kubernetes-list-type"] == "map"
    assert conditions["x-kubernetes-list-map-keys"] == ["type"]
