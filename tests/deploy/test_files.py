"""deploy/ read as data: what it names exists, and what it repeats agrees with the code."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from index_tts_ui.account import Account
from index_tts_ui.config import Config
from index_tts_ui.handle import Status
from index_tts_ui.metrics import Metrics
from launcher import options, service

from .tools import DEPLOY, ROOT, with_defaults

STATUS = Status("ready", "tone", 1.0, "", "", 0, 0, 100, 0)
OTHERS = {"up", "ALERTS"}  # Prometheus' own
GUIDES = ("onebox", "lan", "docker", "kubernetes", "platforms")


def _yaml(*parts: str) -> list[Any]:
    return list(yaml.safe_load_all(DEPLOY.joinpath(*parts).read_text("utf-8")))


def _one(*parts: str) -> Any:
    (only,) = _yaml(*parts)
    return only


def _board() -> dict[str, Any]:
    board: dict[str, Any] = json.loads((DEPLOY / "grafana" / "dashboard.json").read_text("utf-8"))
    return board


def _queries() -> list[str]:
    shown = [target["expr"] for panel in _board()["panels"] for target in panel.get("targets", ())]
    rules = [rule["expr"] for group in _one("prometheus", "alerts.yml")["groups"] for rule in group["rules"]]
    return shown + rules


def test_every_file_can_be_read() -> None:
    files = [path for path in DEPLOY.rglob("*") if path.suffix in (".yaml", ".yml", ".json")]
    assert len(files) > 10
    for path in files:
        text = path.read_text("utf-8")
        assert json.loads(text) if path.suffix == ".json" else list(yaml.safe_load_all(text)), path


def test_every_figure_that_is_asked_for_exists() -> None:
    metrics = Metrics()
    metrics.watch(lambda: STATUS)
    metrics.ended(Account("me", "", 1))
    kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)", metrics.text().decode(), re.MULTILINE))
    names = OTHERS | {name for name, kind in kinds.items() if kind != "histogram"}
    names |= {
        f"{name}_{end}"
        for name, kind in kinds.items()
        if kind == "histogram"
        for end in ("bucket", "sum", "count")
    }
    asked = set()
    for query in _queries():
        found = re.findall(r"([a-zA-Z_]\w*)\s*(?=[{\[]|\s[=<>])", re.sub(r"\{[^}]*\}", "{", query))
        asked |= {name for name in found if not name.startswith("alertname")}
    assert len(asked) > 25
    assert asked <= names


def test_panels_do_not_lie_upon_each_other() -> None:
    panels = _board()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert at["x"] + at["w"] <= 24 and not cells & taken, panel["title"]
        taken |= cells


def test_grafana_finds_its_dashboard_and_its_source() -> None:
    mounts = [Path(volume.split(":")[1]) for volume in _compose()["services"]["grafana"]["volumes"]]
    folder = Path(_one("grafana", "provider.yml")["providers"][0]["options"]["path"])
    assert [mount.suffix for mount in mounts if mount.parent == folder] == [".json"]
    assert _one("grafana", "datasource.yml")["datasources"][0]["url"] == "http://prometheus:9090"


def _compose() -> Any:
    return yaml.safe_load(with_defaults((DEPLOY / "docker" / "compose.yaml").read_text("utf-8")))


def test_what_compose_mounts_and_builds_is_there() -> None:
    compose = _compose()
    for name, one in compose["services"].items():
        for volume in one["volumes"]:
            source = volume.split(":")[0]
            assert source in compose["volumes"] or (DEPLOY / "docker" / source).is_file(), (name, source)
    build = compose["services"]["tts"]["build"]
    context = (DEPLOY / "docker" / build["context"]).resolve()
    assert context == ROOT and (context / build["dockerfile"]).is_file()
    assert _one("prometheus", "prometheus.yml")["scrape_configs"][0]["static_configs"] == [
        {"targets": ["tts:7860"]}
    ]


def test_compose_opens_nothing_to_the_network_by_itself() -> None:
    ports = [port for one in _compose()["services"].values() for port in one.get("ports", ())]
    assert len(ports) == 3
    assert all(port.startswith("127.0.0.1:") for port in ports)


def _stop_seconds() -> int:
    return service._stop_seconds(options.resolve({}, (), {}))


def _deployment() -> Any:
    return _one("kubernetes", "base", "deployment.yaml")["spec"]["template"]["spec"]


def test_nobody_kills_before_a_stop_has_had_its_time() -> None:
    grace = _compose()["services"]["tts"]["stop_grace_period"]
    assert int(grace.removesuffix("s")) >= _stop_seconds()
    pod = _deployment()
    (container,) = pod["containers"]
    before = int(container["lifecycle"]["preStop"]["exec"]["command"][-1])
    assert pod["terminationGracePeriodSeconds"] >= _stop_seconds() + before


def test_the_pod_is_the_images_user_and_has_no_rights() -> None:
    pod = _deployment()
    user = pod["securityContext"]["runAsUser"]
    dockerfile = (DEPLOY / "docker" / "Dockerfile").read_text("utf-8")
    assert f"\nUSER {user}:{user}\n" in dockerfile and f"--uid {user} " in dockerfile
    assert pod["securityContext"]["fsGroup"] == user
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not pod["automountServiceAccountToken"]
    # a service called tts would put TTS_PORT=tcp://... into the environment
    assert pod["enableServiceLinks"] is False
    mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounts == {"/data", "/data/cache_hub", "/tmp"}


def test_the_pieces_for_kubernetes_fit_together() -> None:
    base = _one("kubernetes", "base", "kustomization.yaml")
    files = {path.name for path in (DEPLOY / "kubernetes" / "base").iterdir()} - {"kustomization.yaml"}
    assert files == set(base["resources"])
    spec = _one("kubernetes", "base", "deployment.yaml")["spec"]
    labels = spec["template"]["metadata"]["labels"]
    assert (
        labels
        == spec["selector"]["matchLabels"]
        == _one("kubernetes", "base", "service.yaml")["spec"]["selector"]
    )
    assert labels == _one("kubernetes", "base", "budget.yaml")["spec"]["selector"]["matchLabels"]
    claims = {
        volume["persistentVolumeClaim"]["claimName"]
        for volume in spec["template"]["spec"]["volumes"]
        if "persistentVolumeClaim" in volume
    }
    assert claims == {claim["metadata"]["name"] for claim in _yaml("kubernetes", "base", "claims.yaml")}
    settings = base["configMapGenerator"][0]
    (container,) = spec["template"]["spec"]["containers"]
    assert container["envFrom"] == [{"configMapRef": {"name": settings["name"]}}]
    assert container["image"] == base["images"][0]["name"]
    gpu = _one("kubernetes", "gpu", "kustomization.yaml")
    assert gpu["images"][0]["name"] == base["images"][0]["newName"]


def test_settings_that_are_given_exist() -> None:
    known = {f"TTS_{name.upper()}" for name in Config.__dataclass_fields__} | {"TTS_BIND"}  # compose's own
    text = "".join(path.read_text("utf-8") for path in DEPLOY.rglob("*") if path.is_file())
    used = set(re.findall(r"\bTTS_[A-Z_]+\b", text))
    assert used and used <= known


@pytest.mark.parametrize("path", ["nginx/tts.conf", "caddy/Caddyfile"])
def test_a_proxy_lets_through_what_the_service_takes(path: str) -> None:
    text = (DEPLOY / path).read_text("utf-8")
    (size,) = re.findall(r"(?:client_max_body_size|max_size) (\d+)(?:m|MiB)\b", text)
    assert int(size) << 20 == Config().max_body
    for body in re.findall(r"[`'](\{\"error\".*?\}\})[`']", text):
        assert set(json.loads(body)["error"]) == {"message", "type", "param", "code"}


def test_alerts_are_those_of_the_guide() -> None:
    rules = [rule for group in _one("prometheus", "alerts.yml")["groups"] for rule in group["rules"]]
    for rule in rules:
        assert {"summary", "summary_zh", "do"} == set(rule["annotations"]), rule["alert"]
        assert rule["labels"]["severity"] in ("page", "ticket")
    tested = {
        alert["alertname"]
        for test in _one("prometheus", "alerts.test.yml")["tests"]
        for alert in test.get("alert_rule_test", ())
        if alert["exp_alerts"]
    }
    assert tested == {rule["alert"] for rule in rules}


def _blocks(path: Path) -> list[str]:
    return re.findall(r"^```\w+\n(.*?)^```$", path.read_text("utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("name", GUIDES)
def test_a_guide_says_the_same_in_both_languages_and_leads_somewhere(name: str) -> None:
    english, chinese = ROOT / "docs" / f"{name}.md", ROOT / "docs" / f"{name}.zh-CN.md"
    assert _blocks(english) == _blocks(chinese)
    for path in (english, chinese):
        text = path.read_text("utf-8")
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
            assert target.startswith("https://") or (path.parent / target).exists(), (path.name, target)
        for named in re.findall(
            r"(?<![\w/])deploy/(?:[\w-]+/)*[\w-]+(?:\.\w+)*",
            text.replace("deploy/tts ", "").replace("/tts.env", ""),
        ):
            assert (ROOT / named).exists(), (path.name, named)


def test_the_longest_start_is_waited_for() -> None:
    """A probe that gives up earlier than the supervisor would kill it in the middle of loading."""
    (container,) = _deployment()["containers"]
    probe = container["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] >= 3600
    live = container["livenessProbe"]
    assert live["periodSeconds"] * live["failureThreshold"] > 2 * math.ceil(
        30
    )  # a hung server is found in 30 s
