"""What ``-v`` shows on stderr: the log lines of the library and its clients, made safe to look at."""

from __future__ import annotations

import logging
import sys

from tribe_ws.capture.visible import visible
from tribe_ws.protocol.urls import redact

_LOGGERS = {"tribe_ws": logging.DEBUG, "websockets.client": logging.DEBUG, "httpx": logging.INFO}


class _SafeFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return visible(redact(super().format(record)))


def show_wire_log() -> None:
    """Send the log of the wire to stderr, once."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_SafeFormatter("%(asctime)s.%(msecs)03d  %(name)s  %(message)s", "%H:%M:%S"))
    for name, level in _LOGGERS.items():
        logger = logging.getLogger(name)
        if not logger.handlers:
            logger.addHandler(handler)
            logger.setLevel(level)
            logger.propagate = False
