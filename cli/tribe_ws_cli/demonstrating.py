"""``demo --tui``: a throw-away server, two scripted users, and the inspector as a third."""

from __future__ import annotations

from tribe_ws.client.control import ControlClient
from tribe_ws.client.rest import RestClient
from tribe_ws.demo_accounts import DEMO_PASSWORD, DEMO_USERNAMES, demo_email
from tribe_ws.server.local import LocalServer
from tribe_ws_cli.chatter import chatting
from tribe_ws_cli.environment import Environment
from tribe_ws_cli.inspecting import Wishes, log_file, looks, run
from tribe_ws_tui.setup import InspectorSetup


async def demonstrate(environment: Environment) -> None:
    """Open the inspector as alice, while bob and cara talk; nothing is left behind."""
    async with LocalServer() as server:

        async def log_in(username: str, password: str | None) -> RestClient:
            rest = RestClient(server.address, timeout=environment.timeout)
            name = demo_email(username) if username in DEMO_USERNAMES else username
            await rest.login(name, password or DEMO_PASSWORD)
            return rest

        control = ControlClient(server.address, server.control_key, timeout=environment.timeout)
        setup = InspectorSetup(
            server.address,
            log_in,
            known_users=DEMO_USERNAMES,
            users=DEMO_USERNAMES[:1],
            subscribe=("#general",),
            control=control,
            is_embedded=True,
            log_file=log_file(Wishes()),
            **looks(environment),
        )
        async with control, chatting(server.address):
            await run(setup)
