"""Numbers, names and configuration files of instances; cache keys; what doctor and packages say."""

from __future__ import annotations

import ipaddress
import itertools
import json
import tarfile
from pathlib import Path

import pytest
import yaml
from algo_local import binaries, doctor, packages
from algo_local.bootstrap import first_objects
from algo_local.cli import app
from algo_local.controlplane import free_ports
from algo_local.instance import (
    MAX_INSTANCES,
    STORAGE_CLASS,
    Instance,
    InstanceError,
    ensure_instance,
    list_instances,
    load_instance,
)
from algo_local.node_config import cni_config, containerd_config, coredns_config, kubelet_config, proxy_config
from algo_local.node_config import upstream_resolvers as upstream
from algo_local.oci import ImageConfig, write_archive, write_layer
from algo_local.toolchain import ToolchainError, parse_version, required_version
from typer.testing import CliRunner


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ALGO_STATE_DIR", str(tmp_path))
    return tmp_path


def test_networks_of_instances_never_overlap() -> None:
    all_of_them = [Instance("x", index) for index in range(MAX_INSTANCES)]
    networks = [
        ipaddress.ip_network(cidr) for one in all_of_them for cidr in (one.link_cidr, one.pod_cidr, one.service_cidr)
    ]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(networks, 2))
    assert len({one.link for one in all_of_them}) == len({one.cgroup for one in all_of_them}) == MAX_INSTANCES


def test_an_instance_keeps_its_number(state: Path) -> None:
    first, second = ensure_instance("alpha"), ensure_instance("beta")
    assert first.index != second.index
    assert ensure_instance("alpha") == first == load_instance("alpha")
    assert list_instances() == [first, second]


@pytest.mark.parametrize("name", ["", "A", "../x", "a/b", "-a", "a-", "x" * 40])
def test_bad_instance_names_are_refused(state: Path, name: str) -> None:
    with pytest.raises(InstanceError, match="instance name"):
        ensure_instance(name)
    assert not any(path.is_dir() for path in state.iterdir())


def test_kubelet_needs_of_a_plain_machine(state: Path) -> None:
    config = yaml.safe_load(kubelet_config(Instance("test", 1), state / "resolv.conf"))
    assert config["failCgroupV1"] is False
    assert config["cgroupDriver"] == "cgroupfs"
    assert config["imageGCHighThresholdPercent"] == 100
    assert config["authentication"]["anonymous"]["enabled"] is False


def test_containerd_keeps_oom_scores(state: Path) -> None:
    config = containerd_config(Instance("test", 1))
    assert "restrict_oom_score_adj = true" in config
    assert str(state / "test" / "containerd") in config


def test_cni_and_proxy_agree_on_the_pods(state: Path) -> None:
    instance = Instance("test", 1)
    cni = json.loads(cni_config(instance))
    proxy = yaml.safe_load(proxy_config(instance, bridge_filter=False))
    assert cni["plugins"][0]["ipam"]["ranges"][0][0]["subnet"] == proxy["clusterCIDR"] == instance.pod_cidr
    assert proxy["iptables"]["masqueradeAll"] is True


def test_resolvers_on_loopback_are_of_no_use_inside() -> None:
    stub, real = "nameserver 127.0.0.53\n", "# c\nnameserver 9.9.9.9\nnameserver fe80::1%eth0\nnameserver x\nsearch a\n"
    assert upstream([stub, real]) == ["9.9.9.9", "fe80::1"]
    assert upstream([stub]) == []
    assert "forward" not in coredns_config(Instance("test", 1), [])


def test_volumes_are_of_the_class_that_the_chart_names(state: Path) -> None:
    items = first_objects(Instance("test", 1))["items"]
    classes = {item["spec"]["storageClassName"] for item in items if item["kind"] == "PersistentVolume"}
    assert classes == {STORAGE_CLASS}


def test_cache_key_follows_pins_and_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "native_sources", lambda: tmp_path)
    folder = tmp_path / "kubernetes"
    folder.mkdir()
    (folder / "go.mod").write_text("module x\n\ngo 1.25.0\n\nrequire k8s.io/kubernetes v1.35.4\n")
    binary = binaries.BINARIES["kubelet"]
    before = binaries.cache_key(binary)
    assert binaries.cache_key(binary) == before
    assert "gitMinor=35" in binaries.link_flags(binary)
    (folder / "go.mod").write_text("module x\n\ngo 1.25.0\n\nrequire k8s.io/kubernetes v1.36.0\n")
    assert binaries.cache_key(binary) != before
    assert binaries.cache_key(binary) != binaries.cache_key(binaries.BINARIES["kubectl"])


def test_every_component_is_pinned() -> None:
    assert all(binaries.pinned_version(binary).startswith("v") for binary in binaries.BINARIES.values())
    assert next(iter(binaries.BINARIES)) == "kube-apiserver"


def test_go_versions_compare_as_numbers(tmp_path: Path) -> None:
    assert parse_version("go1.26.8") > parse_version("1.9") > parse_version("1.8.9")
    with pytest.raises(ToolchainError):
        parse_version("devel")
    old, new = tmp_path / "a.mod", tmp_path / "b.mod"
    old.write_text("module a\n\ngo 1.9\n")
    new.write_text("module b\n\ngo 1.26.0\n")
    assert required_version([old, new]) == (1, 26, 0)


def test_doctor_names_a_fix_for_all_that_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALGO_CACHE_DIR", str(tmp_path / "empty"))
    findings = {finding.name: finding for finding in doctor.examine()}
    assert not findings["components"].well
    assert "algo_local.build" in findings["components"].fix
    assert all(finding.fix for finding in findings.values() if not finding.well)
    assert not any(finding.fix for finding in findings.values() if finding.well)


def test_missing_packages_are_told_apart() -> None:
    assert packages.missing(["dpkg", "no-such-package-at-all"]) == ["no-such-package-at-all"]


def test_free_ports_differ() -> None:
    assert len(set(free_ports(20))) == 20


def test_layers_are_deterministic(tmp_path: Path) -> None:
    source = tmp_path / "f.py"
    source.write_text("x = 1\n")
    first = write_layer(tmp_path / "one.tar", [("opt/a/f.py", source)], {"usr/bin/l": "/opt"})
    source.touch()
    second = write_layer(tmp_path / "two.tar", [("opt/a/f.py", source)], {"usr/bin/l": "/opt"})
    assert first.digest == second.digest
    config = ImageConfig(command=("x",))
    archive = write_archive(tmp_path / "i.oci.tar", "docker.io/local/x:1", config, [first], carried=[])
    with tarfile.open(archive) as tar:
        names = tar.getnames()
        index = json.load(tar.extractfile("index.json") or pytest.fail("no index"))
    assert f"blobs/sha256/{first.digest}" not in names
    assert index["manifests"][0]["annotations"]["io.containerd.image.name"] == "docker.io/local/x:1"


def test_commands_say_how_to_start_what_does_not_run(state: Path) -> None:
    for command in (["kubeconfig"], ["kubectl", "get", "pods"], ["logs", "api"]):
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 1
        assert "algo up" in result.output
    assert CliRunner().invoke(app, ["status"]).exit_code == 1
    assert CliRunner().invoke(app, ["down"]).exit_code == 0
