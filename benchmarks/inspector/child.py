"""The inspector as a process of its own: the real app on the terminal it is started in.

``python -m benchmarks.inspector.child PORT REPORT_FD HELD`` holds that many events first, and connects to the
socket on that port. Through the file descriptor it reports, a JSON object a line: how much processor time the
events took until they were on the screen, and of each key the moment in which it was handled.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import httpx
from textual.events import Event, Key
from textual.message import Message

from benchmarks.inspector.feed import ALICE, CONVERSATIONS, GENERAL, frame, moment
from tribe_ws.capture.record import Record
from tribe_ws.client.events import read_event
from tribe_ws.client.rest import RestClient
from tribe_ws.protocol.urls import ServerAddress
from tribe_ws_tui import app as app_module
from tribe_ws_tui.app import InspectorApp
from tribe_ws_tui.inspection import Inspection
from tribe_ws_tui.live import LiveSession
from tribe_ws_tui.setup import InspectorSetup

# {"alg":"none"} and {"sub": alice's id}: nobody checks it here.
TOKEN = "eyJhbGciOiJub25lIn0.eyJzdWIiOiIwMDAwMDAwMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDEifQ.x"


_CHUNK = 1000


class Measured(InspectorApp):
    """The inspector; it reports when a key is handled."""

    CSS_PATH = str(Path(app_module.__file__).with_name("app.tcss"))
    report_fd = -1

    def report(self, **facts: Any) -> None:
        """Tell the parent something."""
        os.write(self.report_fd, (json.dumps(facts) + "\n").encode())

    async def on_event(self, event: Event) -> None:
        """Note the moment of each key, and handle it as ever."""
        if isinstance(event, Key):
            self.report(key=time.monotonic_ns(), taken=self.inspector.inspection.store.total)
        await super().on_event(event)


def main() -> None:
    """Run the app until the terminal is closed."""
    port, report_fd, held = (int(one) for one in sys.argv[1:4])
    address = ServerAddress(f"http://127.0.0.1:{port}")
    inspection = Inspection()

    async def log_in(_username: str, _password: str | None) -> RestClient:
        return RestClient(address, TOKEN, transport=httpx.MockTransport(_answer))

    def open_session(letter: str, username: str) -> LiveSession:
        def post(message: Message) -> object:
            return app.inspector.post_message(message)

        session = LiveSession(letter, username, log_in, address, inspection, post)
        session.subscribe(GENERAL)
        return session

    setup = InspectorSetup(address, log_in, users=("alice",))
    app = Measured(setup, inspection, open_session)
    app.report_fd = report_fd
    app.call_later(_load, app, inspection, held)
    app.run()


def _load(app: Measured, inspection: Inspection, held: int) -> None:
    """Hold events; the time counts from the records to the drawn screen."""
    spent = 0.0
    for start in range(0, held, _CHUNK):
        # Made before the clock runs, and not all at once: their memory would count.
        records = [_record(number) for number in range(start, min(held, start + _CHUNK))]
        began = time.process_time()
        for record in records:
            inspection.store.append(record)
        spent += time.process_time() - began
    began = time.process_time()

    def drawn() -> None:
        log = app.inspector.log_view
        if log.view.is_complete and len(log.view) >= held:
            app.report(loaded=spent + time.process_time() - began)
        else:
            app.set_timer(0.01, drawn)

    drawn()


def _record(number: int) -> Record:
    text = frame(number)
    event = read_event(text, received_at=0.0, at=moment(number))
    return Record(
        0,
        event.at,
        "in",
        event.name,
        text=text,
        frame=event.raw,
        as_user=ALICE["username"],
        conversation_id=GENERAL,
        conversation="general",
        sender="bob",
        connection="A",
        latency=0.011,
    )


def _answer(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json=CONVERSATIONS if request.url.path.endswith("/conversations") else {})


if __name__ == "__main__":
    main()
