"""The doctor's checks of one instance: its settings, disk, locks, port, model, and what it left behind."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .doctor import FAIL, OK, WARN, Context, Finding, finding
from .errors import LauncherError
from .messages import say

DISK = (1 << 30, 5 << 30)  # bytes: less fails, less is little


def check_settings(context: Context) -> Iterator[Finding]:
    """Raises what is wrong with them."""
    settings = context.settings
    facts: dict[str, Any] = {
        "home": settings.instance.home,
        "name": settings.instance.name,
        "engine": settings.engine,
    }
    yield finding("settings", OK, "doctor_settings", **facts)


def check_disk(context: Context) -> Iterator[Finding]:
    """Free space and file entries of the home folder's disk."""
    home = context.settings.instance.home
    if not home.is_dir():
        yield finding("disk", FAIL, "doctor_no_home", "mend_no_home", path=home)
        return
    usage, entries = shutil.disk_usage(home), os.statvfs(home)
    facts: dict[str, Any] = {
        "path": home,
        "free": f"{usage.free / 1e9:.1f}",
        "total": f"{usage.total / 1e9:.1f}",
    }
    state = FAIL if usage.free < DISK[0] else WARN if usage.free < DISK[1] else OK
    if entries.f_files and not entries.f_favail:
        yield finding("disk", FAIL, "doctor_no_inodes", "mend_disk", **facts)
    else:
        yield finding("disk", state, "doctor_disk", "" if state == OK else "mend_disk", **facts)


def check_locks(context: Context) -> Iterator[Finding]:
    """Whether the home folder can be written and its file system really locks files."""
    from .lock import Lock

    instance = context.settings.instance
    folder = instance.run if instance.run.is_dir() else instance.home
    facts: dict[str, Any] = {
        "path": folder,
        "kind": file_system(folder, Path("/proc/self/mountinfo").read_text()),
    }
    if not folder.is_dir():
        yield finding("locks", FAIL, "doctor_no_home", "mend_no_home", **facts)
        return
    probe = folder / f".doctor.{os.getpid()}"  # its own name each time, so it may be unlinked
    try:
        with Lock(probe) as lock:
            works = lock.try_acquire() and lock.works()
    except LauncherError as error:
        yield Finding("locks", FAIL, error.message, say("mend_locks"))
        return
    finally:
        probe.unlink(missing_ok=True)
    if works:
        yield finding("locks", OK, "doctor_locks", **facts)
    else:
        yield finding("locks", FAIL, "doctor_no_locks", "mend_locks", **facts)


def file_system(folder: Path, mounts: str) -> str:
    """The type of the file system that ``folder`` is on, by /proc/self/mountinfo; "?" if that is not told."""
    best, kind = -1, "?"
    target = folder.resolve()
    for line in mounts.splitlines():
        left, _, right = line.partition(" - ")
        point = Path(
            left.split()[4].encode().decode("unicode_escape").encode("latin-1").decode("utf-8", "replace")
        )
        if target.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), right.split()[0]
    return kind


def check_service(context: Context) -> Iterator[Finding]:
    """What ``status`` says."""
    from .status import DEAD, UNKNOWN, look

    seen = look(context.settings.instance)
    facts: dict[str, Any] = {"state": seen.state, "reason": seen.record.reason or "-"}
    if seen.code in (DEAD, UNKNOWN):
        yield finding("service", WARN, "doctor_service_dead", "mend_service_dead", **facts)
    else:
        yield finding("service", OK, "doctor_service", **facts)


def check_port(context: Context) -> Iterator[Finding]:
    """Free, ours, or whose."""
    from . import ports, state, way

    settings = context.settings
    record = state.read(settings.instance.state)
    supervisor = way.find_supervisor(settings.instance)
    port = settings.port
    if supervisor and record and record.port == port:
        yield finding("port", OK, "doctor_port_ours", port=port, pid=supervisor.pid)
        return
    try:
        ports.check_free(settings.host, port)
    except LauncherError as error:
        yield Finding("port", FAIL, error.message, say("mend_port"))
    else:
        yield finding("port", OK, "doctor_port_free", port=port)


def check_engine(context: Context) -> Iterator[Finding]:
    """The packages of the engine's extra, and its model as ``start`` checks it: no hashing."""
    from . import catalogue, fitting, models
    from .doctor_machine import installed, judge_packages, pinned, wanted

    settings = context.settings
    if settings.engine != "auto" and settings.engine not in catalogue.ENGINES:
        whose = _plugin(settings.engine)
        yield whose
        if whose.state == FAIL:
            return
    if extra := wanted(settings.engine):
        yield from judge_packages("engine", extra, pinned(), installed(), settings.engine)
    model = models.needed_by(fitting.best(settings))
    folder = settings.instance.cache_hub / model
    if not model:
        yield finding("engine", OK, "doctor_no_model_needed", engine=settings.engine)
    elif error := models.problems(models.check(settings.instance.cache_hub, model), folder):
        state = WARN if settings.engine == "auto" else FAIL  # auto takes another engine where it can
        verb = "fetch" if error.key == "model_missing" else "repair"
        yield Finding("engine", state, error.message, say("mend_no_model", verb=verb, model=model))
    else:
        yield finding("engine", OK, "doctor_model", model=model, path=folder)


def _plugin(engine: str) -> Finding:
    """Whose engine it is that is not built in."""
    from . import catalogue, plugins

    found = plugins.engines()
    if engine in found:
        return finding("engine", OK, "doctor_plugin", engine=engine, package=found[engine])
    known = ", ".join(("auto", *catalogue.ENGINES, *sorted(found)))
    return finding("engine", FAIL, "doctor_no_engine", "mend_no_engine", engine=engine, known=known)


def check_leftovers(context: Context) -> Iterator[Finding]:
    """Processes of a dead supervisor, and what looks like a speech server but has no marker."""
    from . import leftovers, tree

    found = sorted(item.pid for item in tree.leftovers(context.settings.instance))
    foreign = sorted(item.pid for item in leftovers.foreign())
    if found:
        pids = ", ".join(str(pid) for pid in found)
        yield finding("leftovers", WARN, "doctor_leftovers", "mend_leftovers", pids=pids)
    if foreign:
        pids = ", ".join(str(pid) for pid in foreign)
        yield finding("leftovers", WARN, "doctor_foreign", "mend_foreign", pids=pids)
    if not (found or foreign):
        yield finding("leftovers", OK, "doctor_no_leftovers")
