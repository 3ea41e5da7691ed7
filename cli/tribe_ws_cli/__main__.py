"""``python -m tribe_ws_cli`` is ``tribe-ws``."""

from __future__ import annotations

import sys

from tribe_ws_cli.main import main

sys.exit(main())
