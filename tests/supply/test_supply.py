"""What the project is made of: pinned, hashed, of known licences, written down, and asked about."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from supply import audit, hashes, licences, sbom
from supply.__main__ import found
from supply.closure import Pin, closure, pins, wanted
from supply.tools import tool

SCHEMA_TOOL = "cyclonedx-python-lib[json-validation]==11.12.0"
SECONDS = 600.0


def test_everything_that_is_asked_for_is_pinned_within_its_bounds() -> None:
    known = pins()
    for need in wanted(("indextts", "test")):
        pin = known[re.sub(r"[-_.]+", "-", need.name).lower()]
        assert need.specifier.contains(pin.version), f"{need} and {pin.line}"


def test_the_hashes_are_those_of_the_pinned_base_set() -> None:
    assert hashes.problems() == [], "run: python -m supply hashes"


def test_a_stale_list_of_hashes_is_noticed(tmp_path: Path) -> None:
    text = hashes.FILE.read_text("utf-8")
    stale = tmp_path / "stale.txt"
    stale.write_text(text.replace("\nclick==", "\nclick==0."))
    assert [line.split(":")[0][:9] for line in hashes.problems(stale)] == ["click==8.", "click==0."]
    stale.write_text(re.sub(r"(\nh11==\S+)( \\\n +--hash=\S+)+", r"\1", text))
    assert len(hashes.problems(stale)) == 1
    assert hashes.problems(tmp_path / "none.txt")


def test_every_package_may_be_used_and_says_so() -> None:
    everything = found()
    assert {item.pin.name: item.verdict for item in everything if item.verdict} == {}
    assert len(everything) > 60
    told = [item.pin.name for item in everything if item.note]
    assert not set(told) & {pin.name for pin in closure()}, "nothing of the base set has terms of its own"


@pytest.mark.parametrize(
    ("expression", "good"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("GPL-3.0-only OR MIT", True),
        ("MIT AND GPL-3.0-only", False),
        ("MIT AND (GPL-3.0-only OR BSD-2-Clause)", True),
        ("MIT OR BSD-2-Clause AND GPL-3.0-only", True),
        ("(MIT OR BSD-2-Clause) AND GPL-3.0-only", False),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("GPL-2.0-only WITH Classpath-exception-2.0", False),
    ],
)
def test_an_expression_is_read_as_spdx_means_it(expression: str, good: bool) -> None:
    assert licences.holds(expression, dict.fromkeys(licences.ALLOWED, True)) is good


@pytest.mark.parametrize("expression", ["", "MIT AND", "(MIT", "MIT)", "AND MIT", "MIT MIT"])
def test_what_is_no_expression_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match="SPDX"):
        licences.holds(expression, {"MIT": True})


def package(folder: Path, name: str, *lines: str) -> None:
    """One that is installed, as far as its metadata go."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "\n".join(("Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0", *lines))
    )


def test_a_licence_that_is_unknown_or_will_not_do_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path, "silentpkg")
    package(
        tmp_path,
        "gplpkg",
        "License: GPL",
        "Classifier: License :: OSI Approved :: GNU General Public License (GPL)",
    )
    package(tmp_path, "agplpkg", "License-Expression: AGPL-3.0-only")
    package(tmp_path, "goodpkg", "Classifier: License :: OSI Approved :: MIT License")
    package(tmp_path, "ownpkg", "License-Expression: LicenseRef-NVIDIA-Proprietary")
    monkeypatch.syspath_prepend(str(tmp_path))
    names = ("silentpkg", "gplpkg", "agplpkg", "goodpkg", "ownpkg", "notinstalled")
    judged = licences.licences([Pin(name, "1.0") for name in names], frozenset({"gplpkg"}))
    assert [(item.pin.name, bool(item.verdict)) for item in judged] == [
        *(("silentpkg", True), ("gplpkg", True), ("agplpkg", True), ("goodpkg", False), ("ownpkg", True)),
    ]
    (own,) = licences.licences([Pin("ownpkg", "1.0")], frozenset({"ownpkg"}))
    assert not own.verdict and "CUDA" in own.note


def test_the_bill_names_every_package_once_with_its_licence() -> None:
    everything = found()
    parts = [part for part in sbom.bill(everything)["components"] if part["type"] == "library"]
    assert [part["name"] for part in parts] == [item.pin.name for item in everything]
    assert len({part["bom-ref"] for part in parts}) == len(parts)
    click = next(part for part in parts if part["name"] == "click")
    assert click["purl"] == f"pkg:pypi/click@{click['version']}" and click["hashes"]
    assert sbom.bill(everything)["serialNumber"] == sbom.bill(everything)["serialNumber"]


ANSWER = {
    "dependencies": [
        {"name": "a", "version": "1", "vulns": [{"id": "X-1", "fix_versions": ["2"], "aliases": []}]},
        {"name": "b", "version": "1", "vulns": []},
    ]
}


def test_an_audit_says_what_is_faulty_and_what_could_not_be_told() -> None:
    faulty = audit.read(json.dumps(ANSWER), "", 2)
    assert (faulty.code, faulty.faults) == (1, ("a 1: X-1 (mended in 2)",))
    assert audit.read(json.dumps({"dependencies": ANSWER["dependencies"][1:]}), "", 1).code == 0
    assert audit.read(json.dumps(ANSWER), "", 3).code == 1, "a fault is a fault, whatever else is not known"
    for unknown in (
        audit.read("", "ERROR: Could not connect\n", 2),
        audit.read(json.dumps({"dependencies": ANSWER["dependencies"][1:]}), "", 3),
        audit.read(json.dumps({"dependencies": [{"name": "a", "skip_reason": "not found"}]}), "", 1),
        audit.audit([Pin("a", "1")], ["/nonexistent/pip-audit"]),
        audit.audit([Pin("a", "1")], [sys.executable, "-c", "import sys; sys.exit('unreachable')"]),
    ):
        assert unknown.code == 3 and unknown.lines()[0].startswith("NOT CHECKED")


@pytest.mark.slow
def test_the_bill_is_valid_by_the_schema_of_cyclonedx(tmp_path: Path) -> None:
    bill: dict[str, Any] = sbom.bill(found())
    (tmp_path / "good.json").write_text(json.dumps(bill))
    (tmp_path / "bad.json").write_text(json.dumps({**bill, "components": [{"type": "thing"}]}))
    code = (
        "import sys\n"
        "from cyclonedx.schema import SchemaVersion\n"
        "from cyclonedx.validation.json import JsonStrictValidator\n"
        "sys.exit(str(JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1]).read()) or ''))\n"
    )
    python = tool(SCHEMA_TOOL) / "bin/python"
    said = [
        subprocess.run(
            [python, "-c", code, tmp_path / name], capture_output=True, text=True, timeout=60
        ).stderr
        for name in ("good.json", "bad.json")
    ]
    assert said[0].strip() == "" and said[1].strip()


def wheel(folder: Path) -> Path:
    """A package of nothing."""
    path = folder / "tinything-1.0-py3-none-any.whl"
    info = "tinything-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tinything.py", "")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tinything\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return path


@pytest.mark.slow
def test_a_file_that_was_changed_is_not_installed(tmp_path: Path) -> None:
    """In the form in which our list is written; and what the list is made of are the files' own hashes."""
    path = wheel(tmp_path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    pin = Pin("tinything", "1.0")
    wishes = tmp_path / "wishes.txt"
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--no-index",
        "--find-links",
        str(tmp_path),
        "--target",
    ]
    command += [str(tmp_path / "into"), "--require-hashes", "-r", str(wishes)]
    wishes.write_text(hashes.text([pin], {"tinything": {digest, "0" * 64}}))
    assert subprocess.run(command, capture_output=True, timeout=SECONDS).returncode == 0
    shutil.rmtree(tmp_path / "into")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("evil.py", "")
    ran = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    assert ran.returncode and "DO NOT MATCH" in ran.stderr
