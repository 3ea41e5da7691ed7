"""Puts the inspector together: a setup in, an app that can be run out."""

from __future__ import annotations

from textual.message import Message

from tribe_ws.capture.writer import CaptureError
from tribe_ws_tui.absent import NoSession
from tribe_ws_tui.app import InspectorApp
from tribe_ws_tui.inspection import Inspection
from tribe_ws_tui.live import LiveSession
from tribe_ws_tui.messages import Said
from tribe_ws_tui.sessions import InspectorSession
from tribe_ws_tui.setup import InspectorSetup


def make_app(setup: InspectorSetup) -> InspectorApp:
    """Make the inspector for real sessions on the server of a setup."""

    def post(message: Message) -> object:
        return app.inspector.post_message(message)

    def tell(error: CaptureError) -> None:
        post(Said(str(error), "error", error.hint))

    def open_session(letter: str, username: str) -> InspectorSession:
        if not username:
            address = setup.address
            return NoSession(
                letter, f"waiting to tap {address.host}:{address.port}" if setup.is_tapping else ""
            )
        # Under a tap the lane of its connection shows it already.
        is_tapped = setup.is_tapping and setup.control is not None
        return LiveSession(
            letter, username, setup.log_in, setup.address, inspection, post, is_tapped=is_tapped
        )

    inspection = Inspection(setup.keep, tell)
    app = InspectorApp(setup, inspection, open_session)
    return app
