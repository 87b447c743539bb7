"""CUDA graphs of the decode step: some 500 launches become one, which a step of a few rows is bound by."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

import torch

log = logging.getLogger(__name__)

Shape = tuple[int, int, bool]  # rows, positions, wide: what a step's launches depend on


class Graphs:
    """Runs ``work(rows, length, wide)``: on a GPU as a captured graph, elsewhere as it is.

    ``work`` reads and writes static tensors only, gives nothing back and never waits for the device. A shape
    runs eagerly the first time (which also warms up its kernels), is captured the second time, and replayed
    from then on. Shapes for which no memory is left stay eager.
    """

    def __init__(
        self,
        work: Callable[[int, int, bool], None],
        device: torch.device,
        most: int = 256,
        spare_bytes: int = 1 << 30,
    ) -> None:
        """``most`` graphs are kept; none is captured with less than ``spare_bytes`` of memory free."""
        self._work = work
        self._device = device
        self._most = most
        self._spare = spare_bytes
        self._open = device.type == "cuda"
        self._met: set[Shape] = set()
        self._graphs: dict[Shape, torch.cuda.CUDAGraph] = {}
        # One stream and one pool for all: replays follow one another, so their scratch memory may coincide.
        self._side = torch.cuda.Stream(device) if self._open else None
        self._pool = torch.cuda.graph_pool_handle() if self._open else None

    def __len__(self) -> int:
        return len(self._graphs)

    def run(self, shape: Shape) -> None:
        """One step of ``shape``."""
        graph = self._graphs.get(shape)
        if graph is None and shape in self._met and self._may_capture():
            graph = self._capture(shape)
        if graph is not None:
            graph.replay()
        elif self._open:
            self._aside(shape)
        else:
            self._work(*shape)

    def prepare(self, shapes: Iterable[Shape]) -> None:
        """Capture ``shapes`` ahead of their first use, while no row counts on what a step leaves behind."""
        for shape in shapes:
            if self._may_capture() and shape not in self._graphs:
                self._aside(shape)
                self._capture(shape)

    def _aside(self, shape: Shape) -> None:
        """Eagerly on the stream of the captures: what a library sets up on first use is then there."""
        side = self._side
        assert side is not None
        current = torch.cuda.current_stream(self._device)
        side.wait_stream(current)
        try:
            with torch.cuda.stream(side):
                self._work(*shape)
        finally:
            current.wait_stream(side)
        self._met.add(shape)

    def _may_capture(self) -> bool:
        if not self._open or len(self._graphs) >= self._most:
            return False
        return torch.cuda.mem_get_info(self._device)[0] > self._spare

    def _capture(self, shape: Shape) -> torch.cuda.CUDAGraph | None:
        graph = torch.cuda.CUDAGraph()
        try:
            # Not by torch.cuda.graph(), which first empties the caches that every stage lives on.
            with torch.cuda.stream(self._side):
                graph.capture_begin(pool=self._pool, capture_error_mode="thread_local")
                try:
                    self._work(*shape)
                finally:
                    graph.capture_end()
        except RuntimeError as error:  # out of memory, mostly; nothing has run yet, so the step is not lost
            self._open = False
            reason = str(error).partition("\n")[0]
            log.warning("no more CUDA graphs: %d are kept, other shapes run without (%s)", len(self), reason)
            return None
        self._graphs[shape] = graph
        return graph
