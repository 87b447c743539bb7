"""Whole checkpoint folders with random weights, made once and kept by what they are made from.

python -m tests.indextts.checkpoint v25 full --stop never --out FOLDER
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple
from importlib.metadata import version as installed
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

from .maker.parts import Places, Wish, write, write_w2v

CACHE = Path(__file__).parent.parent / ".cache" / "indextts"
OLD = 86_400  # seconds
_MAKER = Path(__file__).parent / "maker"
_PACKAGES = ("torch", "transformers", "sentencepiece", "indextts2-inference", "indextts25-inference")


def made(version: str, size: str = "tiny", stop: str = "") -> Path:
    """The folder of a checkpoint, built where it is not there yet (about 10 s). Do not write into it.

    ``version``: "v2" or "v25". ``stop``: "text" (codes in proportion to the text), "never" (a row ends
    at its limit); "" is the first for tiny, the second for full size.
    """
    return built(Wish(version, size, stop or ("text" if size == "tiny" else "never")))


def built(wish: Wish, cache: Path = CACHE) -> Path:
    """``made``, with every choice."""
    w2v = _kept(cache, "w2v", wish.size, _sum((wish.size, wish.half)), lambda to: _w2v(to, wish))
    name = f"{wish.version}_{wish.size}_{wish.stop}"
    return _kept(cache, "made", name, _sum(astuple(wish)), lambda to: _all(to, wish, w2v))


def _w2v(folder: Path, wish: Wish) -> None:
    with _seeded(wish.seed):
        write_w2v(folder, wish.size, wish.half)


def _all(folder: Path, wish: Wish, w2v: Path) -> None:
    with _seeded(wish.seed):
        write(folder, wish)
        target = Places.of(folder, wish.version).w2v
    for path in w2v.iterdir():  # most of a checkpoint's bytes: shared
        _link(path, target / path.name)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk, or none that links
        shutil.copyfile(source, target)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """The caller's random numbers are left as they were; warnings of the packages are not shown."""
    import torch

    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the packages use older interfaces
        torch.manual_seed(seed)
        yield


def _sum(choices: object) -> str:
    """What decides the bytes: the maker's source, the packages' versions, the choices."""
    digest = hashlib.sha256(repr(choices).encode())
    for path in sorted(_MAKER.glob("*.py")):
        digest.update(path.read_bytes())
    digest.update("".join(installed(name) for name in _PACKAGES).encode())
    return digest.hexdigest()[:12]


def _kept(cache: Path, kind: str, name: str, key: str, make: Callable[[Path], None]) -> Path:
    """``cache/kind-name-key``, made aside and renamed; older ones of the name go."""
    folder = cache / f"{kind}-{name}-{key}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{kind}-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two runs at once: the second finds it done
        if not folder.exists():
            for old in cache.glob(f"{kind}-{name}-*"):
                if time.time() - old.stat().st_mtime > OLD:  # else another run may be reading it
                    shutil.rmtree(old)
            with tempfile.TemporaryDirectory(dir=cache) as work:
                make(Path(work, "new"))
                Path(work, "new").rename(folder)
    return folder


def main() -> None:
    """See the module's text."""
    parser = argparse.ArgumentParser(prog="python -m tests.indextts.checkpoint", description=__doc__)
    parser.add_argument("version", choices=["v2", "v25"])
    parser.add_argument("size", choices=["tiny", "full"])
    parser.add_argument("--stop", choices=["text", "never"], default="never")
    parser.add_argument("--out", type=Path, help="copy it there (default: print where it is kept)")
    given = parser.parse_args()
    folder = made(given.version, given.size, given.stop)
    if given.out:
        shutil.copytree(folder, given.out, copy_function=_link_or_copy)
    sys.stdout.write(f"{given.out or folder}\n")


def _link_or_copy(source: str, target: str) -> str:
    _link(Path(source), Path(target))
    return target


if __name__ == "__main__":
    main()
