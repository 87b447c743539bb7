"""``python -m index_tts_ui``: the server in the foreground. ``tts-launch`` runs it under a supervisor."""

from __future__ import annotations

import faulthandler
import os
import sys

from . import config
from .errors import EXIT_CONFIG, BadConfig


def main(argv: list[str]) -> int:
    """Exit codes: 0 stopped as asked, 1 the port is taken, 78 a setting is wrong."""
    faulthandler.enable()
    os.umask(os.umask(0) | 0o027)  # outputs and logs are not everybody's
    try:
        settings = config.parse(argv)
        from . import app

        return app.run(settings)
    except BadConfig as error:
        print(f"index_tts_ui: {error.message()}", file=sys.stderr)
        return EXIT_CONFIG
    except OSError as error:
        print(
            f"index_tts_ui: {error.strerror or error} (is the port free? choose another with --port)",
            file=sys.stderr,
        )
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
