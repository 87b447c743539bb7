"""cluster.toml, the scaling policy, the token, the manifest: no processes."""

from __future__ import annotations

import hashlib
import os
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from index_tts_ui import config
from index_tts_ui.cluster import clips, scaling, settings, token
from index_tts_ui.errors import BadConfig

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("ray_port = 7861", "port of its own"),
        ("ray_port = 70000", "port of its own"),
        ('worker_ports = "6000-7000"', "another port"),
        ('worker_ports = "many"', "20000-20999"),
        ("min_replicas = 3", "min_replicas <= max_replicas"),
        ("gpus = -1", "below 0"),
        ("gpus = true", "not a float"),
        ('head = "a b"', "not an address"),
        ("replicas = 2", "is not a setting"),
        ("x = = 2", "cannot be read"),
    ],
)
def test_a_mistake_in_the_file_is_named(text: str, word: str, tmp_path: Path) -> None:
    (tmp_path / "cluster.toml").write_text(text)
    with pytest.raises(BadConfig, match=word):
        settings.load(tmp_path)


def test_without_a_file_and_with_one(tmp_path: Path) -> None:
    assert settings.load(tmp_path).max_replicas == 1
    (tmp_path / "cluster.toml").write_text('head = "::1"\ngpus = 0\nmax_replicas = 3\n')
    found = settings.load(tmp_path)
    assert (found.front, found.gpus, found.max_replicas) == ("[::1]:7861", 0, 3)


@pytest.mark.parametrize("name", ["docs/cluster.md", "docs/cluster.zh-CN.md"])
def test_every_setting_is_documented(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    for item in fields(settings.ClusterSettings):
        assert f"`{item.name}`" in text, item.name


@pytest.mark.parametrize(
    ("loads", "wanted"),
    [
        ([(0, 0)], 1),
        ([(0, 8)], 1),
        ([(1, 8)], 2),
        ([(20, 16), (19, 16)], 5),
        ([(0, 0), (20, 16)], 5),  # one has only just begun
        ([], 2),  # none has said anything: as it is
    ],
)
def test_the_queue_says_how_many_replicas_are_wanted(loads: list[tuple[int, int]], wanted: int) -> None:
    reported = {
        str(number): scaling.wanted({"waiting": waiting, "running": running}, 8)
        for number, (waiting, running) in enumerate(loads)
    }
    context = SimpleNamespace(aggregated_metrics={scaling.METRIC: reported}, target_num_replicas=2)
    assert scaling.policy(context)[0] == wanted
    assert scaling.policy(SimpleNamespace(aggregated_metrics=None, target_num_replicas=2))[0] == 2


def test_the_token_is_read_from_variable_or_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(token.VARIABLE, raising=False)
    with pytest.raises(BadConfig, match=r"cluster\.token"):
        token.read(tmp_path)
    (tmp_path / token.FILE).write_text("from the file, long\n")
    assert token.read(tmp_path) == "from the file, long"
    monkeypatch.setenv(token.VARIABLE, "from the variable, long")
    assert token.read(tmp_path) == "from the variable, long"
    monkeypatch.setenv(token.VARIABLE, "short")
    with pytest.raises(BadConfig, match="16 characters"):
        token.read(tmp_path)


def test_a_proof_is_worth_nothing_elsewhere() -> None:
    mine, theirs = token.nonce(), token.nonce()
    good = token.proof("secret", "replica", theirs, mine)
    assert token.fits(good, token.proof("secret", "replica", theirs, mine))
    for other in (
        token.proof("secret", "front", theirs, mine),
        token.proof("secret", "replica", token.nonce(), mine),
        token.proof("Secret", "replica", theirs, mine),
        None,
    ):
        assert not token.fits(other, good)


def test_clips_unused_for_longest_go_first(tmp_path: Path) -> None:
    cache = clips.ClipCache(tmp_path, keep=2)
    keys = [hashlib.sha256(bytes([number])).hexdigest() for number in range(4)]
    for number, used in enumerate((300, 200, 100, None)):
        assert cache.store(keys[number], bytes([number]))
        if used is not None and (path := tmp_path / f"{keys[number]}.wav").exists():
            os.utime(path, (1e9 + used, 1e9 + used))
    assert {path.stem for path in tmp_path.iterdir()} == {keys[0], keys[3]}
    assert not cache.store(keys[0], b"something else") and not cache.store("../../x", b"")


def test_the_manifest_has_what_kuberay_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from index_tts_ui.cluster import manifest

    monkeypatch.setattr(manifest, "ray_version", lambda: "2.60.0")
    loaded = config.load({"home": str(tmp_path), "engine": "tone", "engine_options": "step_ms=5"}, {})
    with pytest.raises(BadConfig, match="image"):
        manifest.manifest(loaded, settings.ClusterSettings())
    wanted = settings.checked(
        {
            "image": "registry.local/tts:1",
            "namespace": "speech",
            "gpus": 1,
            "max_replicas": 4,
            "min_replicas": 2,
        },
        tmp_path,
    )
    text = manifest.manifest(loaded, wanted)
    found = {one["kind"]: one for one in yaml.safe_load_all(text)}
    assert set(found) == {"PersistentVolumeClaim", "Deployment", "Service", "RayService"}
    assert {one["metadata"]["namespace"] for one in found.values()} == {"speech"}
    spec = found["RayService"]["spec"]
    (app,) = yaml.safe_load(spec["serveConfigV2"])["applications"]
    assert app["import_path"] == "index_tts_ui.cluster.serving:application"
    assert app["args"]["front"] == "index-tts-ui-front.speech.svc:7861"
    assert app["args"]["flags"]["engine"] == "tone" and app["args"]["flags"]["engine_options"] == "step_ms=5"
    (group,) = spec["rayClusterConfig"]["workerGroupSpecs"]
    assert (group["minReplicas"], group["maxReplicas"]) == (2, 4)
    (container,) = group["template"]["spec"]["containers"]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert {one["name"] for one in container["env"]} >= {"TTS_HOME", "TTS_CLUSTER_TOKEN", "RAY_AUTH_TOKEN"}
    (front,) = found["Deployment"]["spec"]["template"]["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in front["ports"]}
    assert ports == {"http": 7860, "join": 7861}
    assert found["Service"]["spec"]["selector"] == found["Deployment"]["spec"]["selector"]["matchLabels"]
    config.parse([*front["command"][3:], *front["args"]])  # flags that the service understands
    assert "registry.local/tts:1" in {front["image"], container["image"]}
