"""The launcher's instance serves here, too; and the real client, which uses a module that Python is to drop."""

from __future__ import annotations

import warnings

from ..launcher.conftest import launch

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import wyoming.audio

__all__ = ["launch", "wyoming"]
