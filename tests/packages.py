"""Which files of tests each of several processes takes next (pytest-xdist's ``--dist loadfile``).

A package's fixtures (its servers, its browser) live until a test of another package comes. So a process
stays in its package as long as that has files, and the packages that take long are begun first.
"""

from __future__ import annotations

from xdist.scheduler.loadfile import LoadFileScheduling
from xdist.workermanage import WorkerController

LONG = (
    "webui",
    "launcher",
    "scheduler",
    "api",
    "indextts",
    "deploy",
    "cluster",
    "remote",
    "engines",
    "audio",
)


def package(path: str) -> str:
    """The folder of a file of tests: "webui" of "tests/webui/test_speak.py"."""
    return path.rpartition("/")[0].rpartition("/")[2]


def best(files: list[str], last: str | None, taken: set[str]) -> str:
    """The next of ``files`` for who had ``last``: its package's, else a long package's that nobody is in."""

    def cost(path: str) -> tuple[bool, bool, int]:
        name = package(path)
        place = LONG.index(name) if name in LONG else len(LONG)
        return last is None or name != package(last), name in taken, place

    return min(files, key=cost)


class PackagesTogether(LoadFileScheduling):
    """Hands out whole files, as its base, in the order of ``best``."""

    def _assign_work_unit(self, node: WorkerController) -> None:
        lasts = {other: next(reversed(work), None) for other, work in self.assigned_work.items()}
        mine = lasts.pop(node, None)
        taken = {package(path) for path in lasts.values() if path}
        self.workqueue.move_to_end(best(list(self.workqueue), mine, taken), last=False)
        super()._assign_work_unit(node)
