"""A bill of materials in CycloneDX 1.6 (JSON): the packages with versions, licences and hashes, and the models."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
import uuid
from collections.abc import Sequence
from typing import Any

from index_tts_ui import __version__

from .closure import ROOT, Pin
from .hashes import FILE
from .licences import Licence

NAME = "index-tts-ui"
Part = dict[str, Any]


def bill(found: Sequence[Licence]) -> Part:
    """The document. Equal parts give equal serial numbers."""
    parts = [*_packages(found), *_models()]
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    now = time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH") or time.time()))
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, digest)}",
        "version": 1,
        "metadata": {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", now),
            "tools": {
                "components": [{"type": "application", "name": f"{NAME} supply", "version": __version__}]
            },
            "component": {
                "type": "application",
                "bom-ref": NAME,
                "name": NAME,
                "version": __version__,
                "licenses": [{"expression": "Apache-2.0"}],
            },
        },
        "components": parts,
        "dependencies": [{"ref": NAME, "dependsOn": [part["bom-ref"] for part in parts]}],
    }


def _packages(found: Sequence[Licence]) -> list[Part]:
    digests = _digests()
    return [
        {
            "type": "library",
            "bom-ref": _purl(item.pin),
            "name": item.pin.name,
            "version": item.pin.version,
            "purl": _purl(item.pin),
            "licenses": [{"expression": item.expression}],
            **_with_hashes(digests.get(item.pin.name, [])),
        }
        for item in found
    ]


def _purl(pin: Pin) -> str:
    return f"pkg:pypi/{re.sub(r'[-_.]+', '-', pin.name).lower()}@{pin.version}"


def _digests() -> dict[str, list[str]]:
    """Of each package's files, as far as they are known: of the base set."""
    blocks = FILE.read_text("utf-8").replace("\\\n", " ").splitlines()
    return {
        line.partition("==")[0]: re.findall(r"sha256:([0-9a-f]{64})", line)
        for line in blocks
        if line and not line.startswith("#")
    }


def _with_hashes(digests: Sequence[str]) -> Part:
    return {"hashes": [{"alg": "SHA-256", "content": item} for item in digests]} if digests else {}


def _models() -> list[Part]:
    """Of the launcher's catalogue: fetched on demand, the embedded voice at set-up."""
    found = []
    for path in sorted((ROOT / "launcher/catalogue").glob("*.json")):
        data = json.loads(path.read_text("utf-8"))
        if "files" not in data:
            continue
        files = [
            {"type": "file", "bom-ref": f"{data['model']}/{item['name']}", "name": item["name"]}
            | _with_hashes([item["sha256"]] if item.get("sha256") else [])
            for item in data["files"]
        ]
        model = {
            "type": "machine-learning-model",
            "bom-ref": f"model:{data['model']}",
            "name": data["model"],
            "description": data["description"],
            "licenses": [{"license": {"name": data["licence"]}}],
            "components": files,
        }
        found.append(model)
    return found
