"""The models of voices, read when somebody first speaks with them; those that were not used for longest go."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np

from .phrases import Unsayable
from .voices import Voice

INPUTS = {"input", "input_lengths", "scales"}


@dataclass(frozen=True)
class Model:
    """A voice that can speak. ``speaker``: the package's ``PiperVoice``, which finds phonemes."""

    voice: Voice
    session: Any
    speaker: Any

    def run(
        self, ids: tuple[int, ...], scales: tuple[float, float, float], sid: int | None, options: Any
    ) -> Any:
        """Sound, float32 [samples]. ``scales``: noise, length, noise in the lengths. ``options``: onnxruntime's."""
        feed = {
            "input": np.array([ids], np.int64),
            "input_lengths": np.array([len(ids)], np.int64),
            "scales": np.array(scales, np.float32),
        }
        if sid is not None:
            feed["sid"] = np.array([sid], np.int64)
        return np.asarray(self.session.run(None, feed, options)[0], np.float32).reshape(-1)


class Models:
    """At most ``most`` of them; any thread. ``threads``: of one run."""

    def __init__(self, threads: int, most: int) -> None:
        self._threads = threads
        self._most = most
        self._lock = threading.Lock()
        self._models: OrderedDict[str, Model] = OrderedDict()
        self.failures: tuple[type[Exception], ...] = ()

    def __len__(self) -> int:
        return len(self._models)

    def prepare(self) -> None:
        """Import what speaking needs. Raises ImportError."""
        import piper  # noqa: F401
        from onnxruntime.capi import onnxruntime_pybind11_state as native

        kinds = (kind for kind in vars(native).values() if isinstance(kind, type))
        own = tuple(kind for kind in kinds if issubclass(kind, Exception))
        self.failures = (*own, RuntimeError, ValueError)

    def get(self, voice: Voice) -> Model:
        """Read where it is not there. Raises Unsayable for a file that is no model of a voice."""
        with self._lock:  # two segments of one voice read it once
            if voice.name not in self._models:
                self._models[voice.name] = self._read(voice)
                while len(self._models) > self._most:
                    self._models.popitem(last=False)
            self._models.move_to_end(voice.name)
            return self._models[voice.name]

    def close(self) -> None:
        """Let go of them."""
        self._models.clear()

    def _read(self, voice: Voice) -> Model:
        import onnxruntime
        from piper import PiperVoice
        from piper.config import PiperConfig

        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = self._threads
        settings.log_severity_level = 4  # a cancelled run is no error to log
        # threads that spin while they wait make everything else on the machine slower
        settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
        providers = ["CPUExecutionProvider"]
        try:
            session = onnxruntime.InferenceSession(str(voice.path), settings, providers=providers)
        except self.failures as error:
            raise Unsayable(
                f"the voice {voice.name} is damaged: {type(error).__name__}"
            ) from error  # its text has the file's path
        wanted = INPUTS | ({"sid"} if voice.speakers[0].number is not None else set())
        if {item.name for item in session.get_inputs()} != wanted:
            raise Unsayable(f"the voice {voice.name} is no model of Piper: it wants other inputs")
        try:
            config = PiperConfig.from_dict(dict(voice.config))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Unsayable(f"the voice {voice.name} is damaged: its .onnx.json") from error
        return Model(voice, session, PiperVoice(session, config))
