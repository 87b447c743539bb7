"""A cluster for Kubernetes: the front as a Deployment, the replicas as a RayService that KubeRay looks after.

Fields as in KubeRay's guide to RayService (ray.io/v1) and the Serve config schema. The front has no Ray in it: a
pod of its own keeps page, queue and voices while replicas come and go, and its Service is where they dial.
"""

from __future__ import annotations

from importlib import metadata
from typing import Any

import yaml

from ..config import Config
from ..errors import BadConfig
from . import token
from .order import APP, arguments
from .settings import ClusterSettings

NAME = "index-tts-ui"
HOME = "/data"
SECRET_KEY = "token"
FRONT_GRACE = 60  # seconds for requests under way when the front's pod ends


def ray_version() -> str:
    """Of the Ray that is installed here: the image must have the same. Raises PackageNotFoundError."""
    return metadata.version("ray")


def manifest(config: Config, settings: ClusterSettings) -> str:
    """All of it as YAML, several documents. Raises BadConfig where the image is not named."""
    if not settings.image:
        raise BadConfig("bad_config", name="image", reason="cluster.toml must name the image of this service")
    parts = [
        _claim(settings),
        _front(config, settings),
        _service(config, settings),
        _ray_service(config, settings),
    ]
    head = (
        f"# The token first: kubectl -n {settings.namespace} create secret generic {NAME}-token "
        f"--from-literal={SECRET_KEY}=$(openssl rand -hex 32)\n"
        "# Needs the KubeRay operator. Models go into the volume once: see docs/cluster.md.\n"
    )
    return head + yaml.safe_dump_all(parts, sort_keys=False, width=110)


def _meta(settings: ClusterSettings, name: str, part: str) -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": NAME, "app.kubernetes.io/component": part}
    return {"name": name, "namespace": settings.namespace, "labels": labels}


def _token(variable: str) -> dict[str, Any]:
    source = {"secretKeyRef": {"name": f"{NAME}-token", "key": SECRET_KEY}}
    return {"name": variable, "valueFrom": source}


def _claim(settings: ClusterSettings) -> dict[str, Any]:
    """One folder for all: models and voices. Replicas on other nodes need it read-write-many."""
    spec: dict[str, Any] = {
        "accessModes": ["ReadWriteMany"],
        "resources": {"requests": {"storage": f"{settings.storage_gb}Gi"}},
    }
    if settings.storage_class:
        spec["storageClassName"] = settings.storage_class
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": _meta(settings, f"{NAME}-home", "home"),
        "spec": spec,
    }


_VOLUMES = [{"name": "home", "persistentVolumeClaim": {"claimName": f"{NAME}-home"}}]
_MOUNTS = [{"name": "home", "mountPath": HOME}]
_SAFE = {"allowPrivilegeEscalation": False, "runAsNonRoot": True, "capabilities": {"drop": ["ALL"]}}


def _probe(path: str, port: int, **more: int) -> dict[str, Any]:
    return {"httpGet": {"path": path, "port": port}, **more}


def _front(config: Config, settings: ClusterSettings) -> dict[str, Any]:
    labels = {"app": f"{NAME}-front"}
    container = {
        "name": "front",
        "image": settings.image,
        "command": ["python", "-m", "index_tts_ui", "--home", HOME, "--host", "0.0.0.0"],
        "args": [
            "--port",
            str(config.port),
            "--cluster-port",
            str(settings.cluster_port),
            "--engine",
            config.engine,
        ],
        "env": [_token(token.VARIABLE)],
        "ports": [
            {"name": "http", "containerPort": config.port},
            {"name": "join", "containerPort": settings.cluster_port},
        ],
        "livenessProbe": _probe("/healthz", config.port, periodSeconds=10, failureThreshold=6),
        "readinessProbe": _probe("/readyz", config.port, periodSeconds=3),
        "startupProbe": _probe("/healthz", config.port, periodSeconds=2, failureThreshold=60),
        "resources": {"requests": {"cpu": "1", "memory": "2Gi"}},
        "securityContext": _SAFE,
        "volumeMounts": _MOUNTS,
    }
    pod = {
        "terminationGracePeriodSeconds": FRONT_GRACE,
        "containers": [container],
        "volumes": _VOLUMES,
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _meta(settings, f"{NAME}-front", "front"),
        "spec": {
            "replicas": 1,  # one queue
            "strategy": {"type": "Recreate"},  # two would both want the home folder
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def _service(config: Config, settings: ClusterSettings) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _meta(settings, f"{NAME}-front", "front"),
        "spec": {
            "selector": {"app": f"{NAME}-front"},
            # replicas join before the front can speak: it is not ready without them
            "publishNotReadyAddresses": True,
            "ports": [
                {"name": "http", "port": config.port, "targetPort": "http"},
                {"name": "join", "port": settings.cluster_port, "targetPort": "join"},
            ],
        },
    }


def _ray_service(config: Config, settings: ClusterSettings) -> dict[str, Any]:
    args = arguments(config, settings)
    args["front"] = f"{NAME}-front.{settings.namespace}.svc:{settings.cluster_port}"
    kubernetes = ("image", "namespace", "storage_gb", "storage_class", "head")
    args = {name: value for name, value in args.items() if name not in kubernetes}
    serve = {
        "applications": [
            {
                "name": APP,
                "import_path": "index_tts_ui.cluster.serving:application",
                "route_prefix": None,
                "args": args,
            }
        ]
    }
    return {
        "apiVersion": "ray.io/v1",
        "kind": "RayService",
        "metadata": _meta(settings, NAME, "replicas"),
        "spec": {
            "serveConfigV2": yaml.safe_dump(serve, sort_keys=False, width=110),
            "rayClusterConfig": {
                "rayVersion": ray_version(),
                "enableInTreeAutoscaling": True,
                "headGroupSpec": {
                    "rayStartParams": {"num-cpus": "0", "num-gpus": "0"},
                    "template": {"spec": _pod(settings, "ray-head", 1.0, 0.0)},
                },
                "workerGroupSpecs": [
                    {
                        "groupName": "replicas",
                        "replicas": settings.min_replicas,
                        "minReplicas": settings.min_replicas,
                        "maxReplicas": settings.max_replicas,
                        "rayStartParams": {},
                        "template": {"spec": _pod(settings, "ray-worker", settings.cpus, settings.gpus)},
                    }
                ],
            },
        },
    }


def _pod(settings: ClusterSettings, name: str, cpus: float, gpus: float) -> dict[str, Any]:
    limits: dict[str, Any] = {"cpu": f"{max(1, round(cpus))}", "memory": "8Gi"}
    if gpus > 0:
        limits["nvidia.com/gpu"] = str(max(1, round(gpus)))
    container = {
        "name": name,
        "image": settings.image,
        "env": [
            {"name": "TTS_HOME", "value": HOME},
            _token(token.VARIABLE),
            {"name": "RAY_AUTH_MODE", "value": "token"},
            _token("RAY_AUTH_TOKEN"),
            {"name": "RAY_USAGE_STATS_ENABLED", "value": "0"},
        ],
        "resources": {"requests": dict(limits), "limits": limits},
        "securityContext": _SAFE,
        "volumeMounts": _MOUNTS,
    }
    return {"containers": [container], "volumes": _VOLUMES}
