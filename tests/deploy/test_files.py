"""The files of `deploy/` are what Kubernetes takes, and fit each other and the product."""

import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from indexfallback.config.load import load_settings
from indexfallback.server.process import HEADER_TIMEOUT, STOP_SECONDS
from indexfallback.store.hosting import Hosting
from indexfallback.store.shared.queue import DRAIN_SECONDS
from tests.cli.support import CommandLine
from tests.in_process import ROOT

DEPLOY = ROOT / "deploy"
#: Of 2024: the APIs that the manifest uses are older.
_KUBERNETES = "1.31"
#: pip waits so long for an answer, by default.
_PIP_SECONDS = 15
_OBJECTS: list[dict[str, Any]] = list(
    yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text(encoding="utf-8"))
)


def _name(value: dict[str, Any]) -> str:
    return f"{value['kind']}-{value['metadata']['name']}"


def _object(name: str) -> Any:
    return next(each for each in _OBJECTS if _name(each) == name)


def _yaml(name: str) -> Any:
    return yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("value", _OBJECTS, ids=_name)
def test_each_object_is_one_of_kubernetes(value: dict[str, Any]) -> None:
    kubernetes_validate.validate(value, _KUBERNETES, strict=True)


@pytest.mark.parametrize("name", ["shims", "load-balancer"])
def test_services_and_budgets_select_the_pods(name: str) -> None:
    deployment = _object(f"Deployment-{name}")["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    assert deployment["selector"]["matchLabels"] == labels
    assert _object(f"PodDisruptionBudget-{name}")["spec"]["selector"]["matchLabels"] == labels
    service = "shims" if name == "shims" else "packages"
    assert _object(f"Service-{service}")["spec"]["selector"] == labels


def test_a_pod_has_the_time_that_its_hook_and_its_end_take() -> None:
    drain = runpy.run_path(str(DEPLOY / "drain"))
    spec = _object("Deployment-shims")["spec"]["template"]["spec"]
    ends = STOP_SECONDS + DRAIN_SECONDS
    assert drain["LEFT"] < drain["MOST"]
    assert drain["MOST"] + drain["CALL"] + ends < spec["terminationGracePeriodSeconds"]


def test_a_node_has_room_for_what_a_pod_may_keep() -> None:
    spec = _object("Deployment-shims")["spec"]["template"]["spec"]
    (cache,) = [each["emptyDir"] for each in spec["volumes"] if each["name"] == "cache"]
    requested = spec["containers"][0]["resources"]["requests"]["ephemeral-storage"]
    assert requested == cache["sizeLimit"]
    settings = load_settings(config=DEPLOY / "config.toml", environ={})
    assert settings.cache_size < int(cache["sizeLimit"].removesuffix("Gi")) << 30


@pytest.mark.parametrize("name", ["shims", "load-balancer"])
def test_every_container_is_confined(name: str) -> None:
    spec = _object(f"Deployment-{name}")["spec"]["template"]["spec"]
    assert spec["securityContext"]["runAsNonRoot"]
    assert not spec["enableServiceLinks"]
    for container in [*spec.get("initContainers", []), *spec["containers"]]:
        confined = container["securityContext"]
        assert confined["readOnlyRootFilesystem"]
        assert not confined["allowPrivilegeEscalation"]
        assert confined["capabilities"] == {"drop": ["ALL"]}


def _seconds(directive: str) -> int:
    """Return the time of the first directive of that name in the site of nginx."""
    text = (DEPLOY / "nginx.conf.template").read_text(encoding="utf-8")
    (value, *_) = re.findall(rf"^ +{directive} (\d+)s;", text, re.MULTILINE)
    return int(value)


def test_nginx_leaves_a_shim_that_hangs_after_its_deadline_and_before_pip_gives_up() -> None:
    settings = load_settings(config=DEPLOY / "config.toml", environ={})
    longest = settings.deadline + settings.shared_timeout
    assert longest < _seconds("proxy_read_timeout") < _PIP_SECONDS - 2


def test_nginx_ends_an_idle_connection_before_a_shim_does() -> None:
    assert _seconds("keepalive_timeout") < HEADER_TIMEOUT / 1000


def test_the_hook_of_a_pod_waits_for_a_shim_that_is_too_busy_to_tell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", os.defpath)
    drain = runpy.run_path(str(DEPLOY / "drain"))
    waiting = drain["waiting"]
    monkeypatch.setitem(waiting.__globals__, "COMMAND", ("sleep", "5"))
    monkeypatch.setitem(waiting.__globals__, "CALL", 0.01)
    assert waiting() == 1


@pytest.mark.skipif(sys.platform == "win32", reason="the image is a Unix")
@pytest.mark.parametrize(
    ("told", "number"),
    [('{"shared": {"queue": 2, "waiting": 1}}', 3), ('{"shared": null}', 0), ("", 0)],
)
def test_the_hook_counts_what_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str, number: int
) -> None:
    command = tmp_path / "indexfallback"
    command.write_text(f"#!/bin/sh\necho '{told}'\n", encoding="utf-8")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert runpy.run_path(str(DEPLOY / "drain"))["waiting"]() == number


@pytest.mark.parametrize("name", ["config.toml", "try.toml"])
def test_the_settings_share_a_bucket_and_are_for_all_machines(name: str) -> None:
    settings = load_settings(config=DEPLOY / name, environ={})
    assert settings.shared is not None
    assert settings.host == "0.0.0.0"
    assert settings.asks_for_tokens == (name == "config.toml")


def test_the_files_that_the_manifests_name_are_there() -> None:
    kustomization = _yaml("kustomization.yaml")
    generated = [file for each in kustomization["configMapGenerator"] for file in each["files"]]
    named = [*kustomization["resources"], *(file.rpartition("=")[2] for file in generated)]
    services = _yaml("compose.yaml")["services"].values()
    named += [mount.partition(":")[0] for each in services for mount in each.get("volumes", ())]
    assert [name for name in named if not (DEPLOY / name).is_file()] == []
    maps = {each["name"] for each in kustomization["configMapGenerator"]}
    pods = [each["spec"]["template"]["spec"] for each in _OBJECTS if each["kind"] == "Deployment"]
    mounted = [v["configMap"]["name"] for pod in pods for v in pod["volumes"] if "configMap" in v]
    assert set(mounted) == maps


def test_the_containerfile_copies_what_is_there_and_installs_extras_that_there_are() -> None:
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    copied = [line.split()[1:-1] for line in text.splitlines() if line.startswith("COPY ")]
    sources = [path for words in copied if "--from=build" not in words
               for path in words if not path.startswith("--")]  # fmt: skip
    assert [path for path in sources if not (ROOT / path).exists()] == []
    (extras,) = re.findall(r"/src\[([a-z,]+)\]", text)
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert all(re.search(rf"^{extra} = \[", project, re.MULTILINE) for extra in extras.split(","))


def test_the_database_of_tokens_is_enough_for_another_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "user").mkdir()
    cli = CommandLine(tmp_path / "user")
    token = cli("token", "create", "--json").expect().json["token"]
    made = Path(cli.environment()["XDG_STATE_HOME"]) / "indexfallback" / "hosting.sqlite3"
    there = tmp_path / "pod" / "indexfallback"
    there.mkdir(parents=True, mode=0o700)
    shutil.copy(made, there)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "pod"))
    hosting = Hosting()
    assert hosting.tokens.find(token) is not None
    hosting.close()


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl")
def test_kubectl_builds_the_manifests() -> None:
    built = subprocess.run(
        ["kubectl", "kustomize", str(DEPLOY)], capture_output=True, check=True, text=True
    )
    for value in yaml.safe_load_all(built.stdout):
        kubernetes_validate.validate(value, _KUBERNETES, strict=True)
