"""``python -m tribe_ws`` is ``tribe-ws``.

The command line stands above the library, which therefore finds it by name and does not import it.
"""

from __future__ import annotations

import runpy

runpy.run_module("tribe_ws_cli", run_name="__main__", alter_sys=True)
