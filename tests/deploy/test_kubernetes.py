"""The manifests before the schemas of Kubernetes itself."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from .tools import DEPLOY, own, passes

pytestmark = pytest.mark.slow
HERE = DEPLOY / "kubernetes"
VERSIONS = ("1.30", "1.37")  # unhealthyPodEvictionPolicy is stable in the first


def _renders() -> list[str]:
    if kubectl := shutil.which("kubectl"):
        return [kubectl, "kustomize"]
    if kustomize := shutil.which("kustomize"):
        return [kustomize, "build"]
    pytest.skip("neither kubectl nor kustomize is here, and no package registry of the tests has them")


def _valid(path: Path) -> None:
    for version in VERSIONS:
        passes([own("kubernetes-validate"), "--strict", "-k", version, path])


@pytest.mark.parametrize(
    "path",
    [*sorted((HERE / "base").glob("*.yaml")), HERE / "ingress" / "ingress.yaml"],
    ids=lambda path: path.name,
)
def test_each_file_is_valid(path: Path) -> None:
    if path.name != "kustomization.yaml":  # which is no object of the cluster
        _valid(path)


@pytest.mark.parametrize("name", ["base", "gpu", "ingress"])
def test_what_kustomize_makes_is_valid(name: str, tmp_path: Path) -> None:
    made = subprocess.run(
        [*_renders(), str(HERE / name)], capture_output=True, text=True, timeout=60, check=True
    )
    (tmp_path / "all.yaml").write_text(made.stdout, "utf-8")
    _valid(tmp_path / "all.yaml")
    objects = {one["kind"]: one for one in yaml.safe_load_all(made.stdout)}
    assert {"Deployment", "Service", "PersistentVolumeClaim", "PodDisruptionBudget", "ConfigMap"} <= set(
        objects
    )
    (container,) = objects["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert container["envFrom"][0]["configMapRef"]["name"] == objects["ConfigMap"]["metadata"]["name"]
    assert container["image"].endswith(":cuda" if name == "gpu" else ":cpu")
    assert ("nvidia.com/gpu" in container["resources"]["limits"]) == (name == "gpu")
    assert ("Ingress" in objects) == (name == "ingress")
    assert ("TTS_TRUSTED_PROXIES" in objects["ConfigMap"]["data"]) == (name == "ingress")


def test_a_wrong_field_would_be_found(tmp_path: Path) -> None:
    wrong = (HERE / "base" / "budget.yaml").read_text("utf-8").replace("maxUnavailable", "maxUnavailible")
    (tmp_path / "budget.yaml").write_text(wrong, "utf-8")
    with pytest.raises(AssertionError, match="maxUnavailible"):
        _valid(tmp_path / "budget.yaml")
