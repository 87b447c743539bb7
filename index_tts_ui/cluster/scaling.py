"""How many replicas there are to be: by the front's queue, between the bounds that Ray Serve enforces.

Ray Serve counts requests on its own way to a replica, which segments do not take. So each replica reports what
the front told it, and this policy reads it. Delays, factors and bounds are Serve's (``AutoscalingConfig``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

METRIC = "tts_replicas_wanted"


def wanted(load: Mapping[str, float], per_replica: int) -> float:
    """Replicas, as a fraction, that segments in queue and under way would keep busy."""
    return (load.get("waiting", 0.0) + load.get("running", 0.0)) / max(1, per_replica)


def policy(context: Any) -> tuple[int, dict[str, Any]]:
    """A Ray Serve autoscaling policy: the most that a replica reports. One that has just begun knows nothing yet, and
    where none has reported all stays as it is."""
    reported = (context.aggregated_metrics or {}).get(METRIC) or {}
    if not reported:
        return context.target_num_replicas, {}
    return max(1, math.ceil(max(reported.values()))), {}
