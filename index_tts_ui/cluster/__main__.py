"""``python -m index_tts_ui.cluster replica --front HOST:PORT``: one engine replica without Ray, in the foreground.

The other flags are those of the service (``--home``, ``--engine``, ``--device``, ...).
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys

from .. import config, logs
from ..errors import EXIT_CONFIG, BadConfig
from . import station


def main(argv: list[str]) -> int:
    """Exit codes: 0 stopped as asked, 78 a setting is wrong."""
    parser = argparse.ArgumentParser(prog="python -m index_tts_ui.cluster", allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)
    replica = commands.add_parser("replica")
    replica.add_argument("--front", required=True, help="host:port where the front's replicas join")
    replica.add_argument(
        "--node", default="", help="how the front calls this machine; default: its host name"
    )
    config.add_flags(replica)
    given = vars(parser.parse_args(argv))
    front, node = given.pop("front"), given.pop("node")
    del given["command"]
    try:
        settings = config.load(given)
        logs.setup_worker(settings.log_level, settings.log_format)
        asyncio.run(station.serve(settings, front, node, (signal.SIGTERM, signal.SIGINT)))
    except BadConfig as error:
        print(f"index_tts_ui.cluster: {error.message()}", file=sys.stderr)
        return EXIT_CONFIG
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
