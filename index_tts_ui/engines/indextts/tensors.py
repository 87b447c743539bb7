"""From weight files into the packages' modules: only what is used, every name and shape checked.

A module is built without drawing its initial weights, so that its memory is not even touched; then each of its
parameters is replaced by the file's tensor, copied to the device in its own type, one at a time.
"""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ...errors import BadConfig

Weights = Mapping[str, Tensor]
DtypeOf = Callable[[str], torch.dtype]
_DRAWS = frozenset({"normal_", "uniform_", "trunc_normal_", "random_"})
_DRAWS |= {f"{scheme}_{shape}_" for scheme in ("kaiming", "xavier") for shape in ("uniform", "normal")}
_STATISTICS = ("running_mean", "running_var")  # buffers that were trained


class _NoDraws(TorchFunctionMode):
    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if getattr(func, "__name__", "") in _DRAWS:
            return args[0] if args else (kwargs or {})["tensor"]
        return func(*args, **(kwargs or {}))


@contextmanager
def quiet() -> Iterator[None]:
    """No warnings of the older interfaces that the packages use."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def building() -> Iterator[None]:
    """Modules made inside have no initial weights."""
    init: Any = torch.nn.init
    # It draws again until all is within its bounds: for ever, where nothing is drawn.
    before, init._no_grad_trunc_normal_ = init._no_grad_trunc_normal_, lambda tensor, *rest, **more: tensor
    try:
        with quiet(), _NoDraws():
            yield
    finally:
        init._no_grad_trunc_normal_ = before


def read(path: Path) -> Any:
    """What a weight file holds: memory-mapped, on the CPU; pickles are never run.

    Raises:
        BadConfig: it is not there or cannot be read.
    """
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        return _torch_load(path)
    except FileNotFoundError as error:
        raise BadConfig("weights_missing", path=path) from error
    except (OSError, RuntimeError, ValueError, EOFError, KeyError, pickle.UnpicklingError) as error:
        raise unreadable(path, error) from error
    except Exception as error:
        if type(error).__module__.startswith("safetensors"):
            raise unreadable(path, error) from error
        raise


def _torch_load(path: Path) -> Any:
    with path.open("rb") as file:
        zipped = file.read(2) == b"PK"  # since torch 1.6; older files cannot be mapped
    return torch.load(path, map_location="cpu", mmap=zipped, weights_only=True)


def unreadable(path: Path, error: Exception) -> BadConfig:
    """One line of whatever the reader said."""
    lines = str(error).strip().splitlines()
    return BadConfig(
        "weights_unreadable", path=path, reason=lines[0][:200] if lines else type(error).__name__
    )


def tensors(data: Any, path: Path, *keys: str) -> Weights:
    """The named tensors below ``keys``, without the prefix that parallel training leaves.

    Raises:
        BadConfig: there is no such part.
    """
    for key in keys:
        if not isinstance(data, Mapping) or key not in data:
            raise BadConfig("tensor_missing", path=path, name=".".join(keys))
        data = data[key]
    if not isinstance(data, Mapping):
        raise BadConfig("weights_unreadable", path=path, reason=f"a {type(data).__name__}, not named tensors")
    return {name.removeprefix("module."): value for name, value in data.items() if isinstance(value, Tensor)}


def tensor(data: Any, path: Path, name: str, shape: Sequence[int | None]) -> Tensor:
    """One tensor whose shape must be ``shape`` (None: any length), as float32.

    Raises:
        BadConfig: it is not there, or is another.
    """
    found = data.get(name) if isinstance(data, Mapping) else data
    if not isinstance(found, Tensor):
        raise BadConfig("tensor_missing", path=path, name=name)
    fits = len(found.shape) == len(shape) and all(
        want in (None, have) for want, have in zip(shape, found.shape, strict=True)
    )
    if not fits:
        raise _wrong_shape(path, name, found.shape, ["any" if want is None else want for want in shape])
    return found.float()


def _wrong_shape(path: Path, name: str, have: Sequence[int], want: Sequence[object]) -> BadConfig:
    return BadConfig(
        "tensor_shape",
        path=path,
        name=name,
        have=f"[{', '.join(map(str, have))}]",
        want=f"[{', '.join(map(str, want))}]",
    )


def always(dtype: torch.dtype) -> DtypeOf:
    """The same type for every tensor."""
    return lambda name: dtype


def fill(
    module: nn.Module,
    weights: Weights,
    path: Path,
    device: torch.device,
    dtype_of: DtypeOf = always(torch.float32),  # noqa: B008  (a pure function)
    unused: Sequence[str] = (),
) -> None:
    """Put the file's tensors into ``module``, without gradients, ready to run on ``device``.

    Every parameter and trained buffer must be there with its shape; of buffers that the module computes
    itself (positions, filters) its own value stays where the file has none. Parts named in ``unused`` are
    taken out of the module; what the file has beyond the module is not read. Weight norm is folded:
    w = g * v / |v| (Salimans and Kingma, 2016), by the same operation that the hook would run at each call.

    Raises:
        BadConfig: names the first tensor that is missing or of a wrong shape, and the file.
    """
    _drop(module, unused)
    _fold_module(module)
    wanted = module.state_dict(keep_vars=True)
    folded = {name: _folded(weights, name, device) for name in wanted}
    ready: dict[str, Tensor] = {}
    for name, mine in wanted.items():
        theirs = folded[name]
        if theirs is None:
            if isinstance(mine, nn.Parameter) or name.endswith(_STATISTICS):
                raise BadConfig("tensor_missing", path=path, name=name)
            continue
        if theirs.shape != mine.shape:
            raise _wrong_shape(path, name, theirs.shape, mine.shape)
        dtype = dtype_of(name) if mine.is_floating_point() else mine.dtype
        ready[name] = theirs.to(device=device, dtype=dtype, copy=True)
    module.load_state_dict(ready, strict=False, assign=True)
    module.to(device).eval().requires_grad_(False)


def _folded(weights: Weights, name: str, device: torch.device) -> Tensor | None:
    if name in weights or f"{name}_g" not in weights or f"{name}_v" not in weights:
        return weights.get(name)
    lengths, directions = (weights[f"{name}_{part}"].to(device).float() for part in "gv")
    return torch._weight_norm(directions, lengths, 0)


def _fold_module(module: nn.Module) -> None:
    """Layers that recompute their weight at every call get a plain one."""
    for layer in module.modules():
        hooks: list[Any] = list(layer._forward_pre_hooks.values())
        for hook in hooks:
            if type(hook).__name__ == "WeightNorm":
                torch.nn.utils.remove_weight_norm(layer, hook.name)
        if nn.utils.parametrize.is_parametrized(layer, "weight"):
            nn.utils.parametrize.remove_parametrizations(layer, "weight")


def _drop(module: nn.Module, names: Sequence[str]) -> None:
    """Replace parts that never run by empty ones: code that mentions them still works."""
    for name in names:
        parent_name, _, last = name.rpartition(".")
        parent = module.get_submodule(parent_name)
        if isinstance(getattr(parent, last, None), nn.Parameter):
            setattr(parent, last, None)
        elif hasattr(parent, last):
            setattr(parent, last, nn.Identity())
