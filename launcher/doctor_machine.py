"""The doctor's checks of the machine: Python, packages, memory, limits, locale. They read no file of an instance."""

from __future__ import annotations

import locale
import re
import resource
import sys
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

from .doctor import FAIL, OK, WARN, Context, Finding, finding

DISTRIBUTION = "index-tts-ui"
PYTHONS = ((3, 11), (3, 13))  # oldest that works, newest that is tested
OPEN_FILES = (256, 1024)  # fewer fail, fewer are few: each connection needs one
MEMORY = (512 << 20, 2 << 30)  # bytes; the embedded voice needs about 1 GB
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*(?:\[[^]]*\])?\s*\(?([^;)]*)\)?\s*(?:;\s*(.*))?")
_EXTRA = re.compile(r"""extra\s*==\s*["']([^"']+)["']""")
_LIMITS = ("<=", ">=", "==", "!=", "~=", "<", ">")


def check_python(context: Context) -> Iterator[Finding]:
    """Whether this interpreter is one that is tested."""
    facts = {
        "version": ".".join(str(part) for part in sys.version_info[:3]),
        "path": sys.executable,
        "oldest": "{}.{}".format(*PYTHONS[0]),
        "newest": "{}.{}".format(*PYTHONS[1]),
    }
    here = sys.version_info[:2]
    if here < PYTHONS[0]:
        yield finding("python", FAIL, "doctor_python", "mend_python", **facts)
    elif here > PYTHONS[1]:
        yield finding("python", WARN, "doctor_python", "mend_python", **facts)
    else:
        yield finding("python", OK, "doctor_python", **facts)


def check_packages(context: Context) -> Iterator[Finding]:
    """The base install: what is missing or outside its range fails, what differs from the tested set warns."""
    yield from judge_packages("packages", wanted(), pinned(), installed())


def judge_packages(
    check: str, required: Mapping[str, str], pins: Mapping[str, str], have: Mapping[str, str], extra: str = ""
) -> Iterator[Finding]:
    """``required``: name to range, ``pins``: name to tested version, ``have``: name to installed version."""
    what = f".[{extra}]" if extra else "."
    missing = [name for name in required if name not in have]
    wrong = [
        f"{name} {have[name]} ({spec})" for name, spec in required.items() if not _fits(have.get(name), spec)
    ]
    other = [
        f"{name} {have[name]} ({pins[name]})"
        for name in required
        if name in have and name in pins and have[name] != pins[name]
    ]
    if not required:
        yield finding(check, WARN, "doctor_no_packages", "mend_packages", what=what)
    if missing:
        yield finding(check, FAIL, "doctor_missing", "mend_packages", names=_few(missing), what=what)
    if wrong:
        yield finding(check, FAIL, "doctor_wrong_versions", "mend_packages", names=_few(wrong), what=what)
    elif other:
        yield finding(check, WARN, "doctor_other_versions", "mend_packages", names=_few(other), what=what)
    if required and not (missing or wrong or other):
        yield finding(check, OK, "doctor_packages", count=len(required))


def _few(names: list[str]) -> str:
    return ", ".join(sorted(names)[:6]) + (" ..." if len(names) > 6 else "")


def wanted(extra: str = "") -> dict[str, str]:
    """Requirements of the base install, or those that ``extra`` adds; other markers are pip's business."""
    found = {}
    try:
        lines = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        lines = []
    for line in lines:
        match = _REQUIREMENT.fullmatch(line)
        if match and (match[3] is None if not extra else _extra_of(match[3]) == extra):
            found[_normal(match[1])] = match[2].strip()
    return found


def _extra_of(marker: str | None) -> str:
    match = _EXTRA.fullmatch((marker or "").strip())
    return match[1] if match else ""


def pinned() -> dict[str, str]:
    """Versions of constraints.txt, which lies beside the package in a checkout."""
    path = Path(__file__).parent.parent / "constraints.txt"
    try:
        lines = path.read_text("utf-8").splitlines()
    except OSError:
        return {}
    pairs = (line.partition(";")[0].strip().partition("==") for line in lines if not line.startswith("#"))
    return {_normal(name): version for name, found, version in pairs if found}


def installed() -> dict[str, str]:
    """Every distribution of this interpreter. The first on the path counts, as for an import."""
    found: dict[str, str] = {}
    for item in metadata.distributions():
        name = item.metadata["Name"]
        if name:
            found.setdefault(_normal(name), item.version)
    return found


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _fits(version: str | None, spec: str) -> bool:
    """Whether ``version`` is in a range such as ``>=2,<3``. Only release numbers are compared."""
    if version is None:
        return True  # missing: another finding
    have = _release(version)
    for part in spec.replace(" ", "").split(","):
        operator = next((item for item in _LIMITS if part.startswith(item)), "")
        wanted = _release(part[len(operator) :])
        size = max(len(have), len(wanted))
        left, right = (item + (0,) * (size - len(item)) for item in (have, wanted))
        order = (left > right) - (left < right)
        holds = {"<=": order <= 0, ">=": order >= 0, "==": order == 0, "!=": order != 0, "<": order < 0}
        holds |= {">": order > 0, "~=": order >= 0}
        if operator and not holds[operator]:
            return False
    return True


def _release(version: str) -> tuple[int, ...]:
    match = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(int(part) for part in match[0].split(".")) if match else ()


def check_memory(context: Context) -> Iterator[Finding]:
    """What is really available here, a container's limit included."""
    free = available(Path("/proc/meminfo").read_text())
    ceiling = cgroup_free(Path("/proc/self/cgroup").read_text(), Path("/sys/fs/cgroup"))
    left = min(free, ceiling) if ceiling is not None else free
    key = "doctor_memory_limited" if ceiling is not None and ceiling < free else "doctor_memory"
    yield _graded("memory", left, MEMORY, key, "mend_memory", gigabytes=f"{left / 1e9:.1f}")


def _graded(
    check: str, value: float, bounds: tuple[float, float], key: str, fix: str, /, **facts: str
) -> Finding:
    state = FAIL if value < bounds[0] else WARN if value < bounds[1] else OK
    return finding(check, state, key, "" if state == OK else fix, **facts)


def available(meminfo: str) -> int:
    """Bytes that programs can still get, by /proc/meminfo."""
    match = re.search(r"^MemAvailable:\s+(\d+) kB", meminfo, re.MULTILINE)
    return int(match[1]) * 1024 if match else 0


def cgroup_free(table: str, root: Path) -> int | None:
    """Bytes left below the tightest limit of this process's control groups (v1 and v2); None: no limit.

    ``table`` is /proc/self/cgroup. Cached files count as free: the kernel gives them back first.
    """
    left = None
    for line in table.splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            base, names = root, ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            base = root / "memory"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        folder = base / path.lstrip("/")
        for level in (folder, *folder.parents):
            if level.is_relative_to(base) and (free := _level_free(level, *names)) is not None:
                left = free if left is None else min(left, free)
    return left


def _level_free(folder: Path, limit: str, usage: str, cached: str) -> int | None:
    try:
        most, used = int((folder / limit).read_text()), int((folder / usage).read_text())
        match = re.search(rf"^{cached} (\d+)$", (folder / "memory.stat").read_text(), re.MULTILINE)
    except (OSError, ValueError):  # no such level, or "max"
        return None
    if most >= 1 << 60:
        return None  # v1 writes its "no limit" as a huge number
    return max(0, most - used + (int(match[1]) if match else 0))


def check_files(context: Context) -> Iterator[Finding]:
    """The soft limit, which the server inherits."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = float("inf") if soft == resource.RLIM_INFINITY else soft
    yield _graded(
        "files", count, OPEN_FILES, "doctor_open_files", "mend_open_files", soft=str(soft), hard=str(hard)
    )


def check_locale(context: Context) -> Iterator[Finding]:
    """Whether Chinese can be written to terminals and files."""
    names = {"encoding": locale.getencoding(), "files": sys.getfilesystemencoding()}
    good = all(name.lower().replace("-", "") == "utf8" for name in names.values())
    yield finding("locale", OK if good else WARN, "doctor_locale", "" if good else "mend_locale", **names)
