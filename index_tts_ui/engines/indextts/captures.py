"""CUDA graphs of one function of tensors, keyed by the shapes of its arguments.

An Euler step of the full model launches some 800 kernels, BigVGAN 1,900: launched one by one they hold the
engine's thread for longer than the GPU needs. A graph replays them with one call.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

log = logging.getLogger(__name__)

Shapes = tuple[tuple[int, ...], ...]

_KEPT = 48  # graphs; the least recently used one goes
_SPARE = 1 << 30  # bytes of the device that a capture must leave free


@dataclass(slots=True)
class _Graph:
    graph: torch.cuda.CUDAGraph
    inputs: tuple[Tensor, ...]  # written before each replay
    output: Tensor  # written by it; read before any other graph of the pool is replayed


class Captures:
    """Calls ``function``, through a graph where the device is CUDA and the shapes have come before.

    ``function`` must take tensors of the device only, return one new tensor, and neither read values
    back to the host nor keep state. Shapes that come once are run as they are: a capture costs some
    50 ms. Called from one thread.
    """

    def __init__(self, function: Callable[..., Tensor], device: torch.device, kept: int = _KEPT) -> None:
        self._function = function
        self._device = device
        self._kept = kept
        self._graphs: OrderedDict[Shapes, _Graph] = OrderedDict()
        self._seen: OrderedDict[Shapes, None] = OrderedDict()
        # One pool for all: replays never overlap, so that graphs share the memory of intermediate results.
        self._pool = torch.cuda.graph_pool_handle() if device.type == "cuda" else None
        self._side = torch.cuda.Stream(device) if device.type == "cuda" else None

    def __len__(self) -> int:
        return len(self._graphs)

    def __call__(self, *inputs: Tensor) -> Tensor:
        """The function's result, a tensor of its own."""
        if self._pool is None:
            return self._function(*inputs)
        shapes = _shapes(inputs)
        graph = self._graphs.get(shapes) or (self._capture(inputs) if self._worth(shapes) else None)
        if graph is None:
            return self._function(*inputs)
        self._graphs.move_to_end(shapes)
        for static, given in zip(graph.inputs, inputs, strict=True):
            static.copy_(given)
        graph.graph.replay()
        return graph.output.clone()

    def prepare(self, *inputs: Tensor) -> None:
        """Capture a graph for the shapes of ``inputs`` ahead of their first use, where there is room."""
        shapes = _shapes(inputs)
        if self._pool is not None and shapes not in self._graphs:
            self._worth(shapes)
            if self._worth(shapes):
                self._capture(inputs)

    def clear(self) -> bool:
        """Give the graphs' memory back; whether there were any."""
        found = bool(self._graphs)
        self._graphs.clear()
        self._seen.clear()
        return found

    def _worth(self, shapes: Shapes) -> bool:
        """Whether ``shapes`` have come before and the device has room for one more graph."""
        again = shapes in self._seen
        self._seen[shapes] = None
        while len(self._seen) > 8 * self._kept:
            self._seen.popitem(last=False)
        return again and self._kept > 0 and torch.cuda.mem_get_info(self._device)[0] >= _SPARE

    def _capture(self, inputs: tuple[Tensor, ...]) -> _Graph | None:
        """None where the memory does not suffice: then there is no second try."""
        try:
            found = self._captured(inputs)
        except RuntimeError as error:
            log.warning("no more CUDA graphs: %s", str(error).partition("\n")[0])
            self._kept = 0
            return None
        self._graphs[_shapes(inputs)] = found
        while len(self._graphs) > self._kept:
            self._graphs.popitem(last=False)
        return found

    def _captured(self, inputs: tuple[Tensor, ...]) -> _Graph:
        # The recipe of torch's CUDA graphs notes: run once on a side stream, so that libraries take
        # their workspaces outside of the graph, then record. "thread_local": other threads may use CUDA meanwhile.
        static = tuple(item.clone() for item in inputs)
        side, current = self._side, torch.cuda.current_stream(self._device)
        assert side is not None
        side.wait_stream(current)
        with torch.cuda.stream(side):
            self._function(*static)
        current.wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool, stream=side, capture_error_mode="thread_local"):
            output = self._function(*static)
        return _Graph(graph, static, output)


def _shapes(inputs: tuple[Tensor, ...]) -> Shapes:
    return tuple(tuple(item.shape) for item in inputs)
