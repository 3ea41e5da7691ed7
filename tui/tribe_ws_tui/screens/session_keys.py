"""What the keys about sessions do: who acts, what is subscribed to, what goes out, faults, side panes."""

from __future__ import annotations

from collections.abc import Callable

from textual.widget import Widget

from tribe_ws.errors import TribeError
from tribe_ws_tui.messages import LoginWanted
from tribe_ws_tui.screens.faults import FaultsScreen, fault_rows
from tribe_ws_tui.screens.jump import Jump, JumpScreen
from tribe_ws_tui.screens.stream_keys import StreamKeys
from tribe_ws_tui.screens.users import Credentials, PasswordScreen, UsersScreen
from tribe_ws_tui.sessions import InspectorSession
from tribe_ws_tui.widgets.composer import Composer
from tribe_ws_tui.widgets.detail import Detail
from tribe_ws_tui.widgets.rows import UserTabs
from tribe_ws_tui.widgets.side_lists import Conversations, FaultRow, Faults, People


class SessionKeys(StreamKeys):
    """The actions of sessions and panes."""

    # ── panes ─────────────────────────────────────────────────────────────────────────────────────────────

    def action_focus_pane(self, step: int) -> None:
        """Go to the next pane that is to be seen, or the one before."""
        self.focus_next() if step > 0 else self.focus_previous()

    def action_go(self, pane: str) -> None:
        """Go to a pane; one that is not to be seen at this width opens where it can."""
        if pane == "event":
            self.action_open()
        elif pane == "stream":
            self.close_detail()
        elif (found := self._side(pane)) is not None:
            found.focus()
        elif pane == "faults":
            self.action_faults()
        elif pane == "people":
            self.action_users()
        else:
            self.notify("too narrow for the side pane; /conv NAME changes the conversation", markup=False)

    def _side(self, pane: str) -> Widget | None:
        found = self.query_one(f"#{pane}")
        is_seen = self.query_one("#side").display and found.display and found.size.width > 0
        return found if is_seen else None

    def action_jump(self) -> None:
        """Show a letter on each pane, and go where it is pressed."""
        targets = {
            "c": ("Conversations", self._side("conversations")),
            "p": ("People", self._side("people")),
            "f": ("Faults", self._side("faults")),
            "s": ("Stream", self.log_view),
            "w": ("Composer", self.pane.composer),
            "e": ("Event", self.query_one(Detail)),
        }
        jumps = [Jump(key, words, widget) for key, (words, widget) in targets.items() if widget is not None]
        shown = [jump for jump in jumps if jump.widget.region.area]

        def go(widget: Widget | None) -> None:
            if isinstance(widget, Detail):
                self.action_open()
            elif widget is not None:
                widget.focus()

        self.app.push_screen(JumpScreen(shown), go)

    def action_other_user(self) -> None:
        """Go to the other user's column."""
        if len(self.panes) < 2:
            self.notify("one user only; t opens a second", markup=False)
            return
        was_writing = isinstance(self.focused, Composer)
        self.use(1 - self.active)
        (self.pane.composer if was_writing else self.log_view).focus()
        self.refresh_detail()

    def on_user_tabs_chosen(self, event: UserTabs.Chosen) -> None:
        """Change to the clicked user."""
        event.stop()
        if event.place != self.active:
            self.action_other_user()

    # ── conversations and people ──────────────────────────────────────────────────────────────────────────

    def choose_conversation(self, conversation_id: str) -> None:
        """Write to another conversation from now on."""
        self.pane.choose(conversation_id)
        self.session.mark_read(conversation_id)
        self.refresh_all()

    def on_conversations_chosen(self, event: Conversations.Chosen) -> None:
        """Write to the chosen conversation."""
        event.stop()
        self.choose_conversation(event.conversation_id)

    def on_people_chosen(self, event: People.Chosen) -> None:
        """Act as the chosen person, beside; one who is there already is gone to."""
        event.stop()
        place = [session.username for session in self.sessions]
        if event.username in place:
            self.use(place.index(event.username))
            self.log_view.focus()
        else:
            self.act_as(event.username, beside=True)

    def action_subscribe(self) -> None:
        """Subscribe to the conversation in use, or unsubscribe; in the list to the highlighted one."""
        pane = self.pane
        listed = self.query_one(Conversations)
        conversation_id = listed.chosen if listed.has_focus and listed.chosen else pane.conversation_id
        if not conversation_id:
            self.notify("there is no conversation yet", markup=False)
        elif conversation_id in pane.session.state.subscribed:
            pane.session.unsubscribe(conversation_id)
        else:
            pane.session.subscribe(conversation_id)
            pane.choose(conversation_id)
        self.refresh_all()

    # ── users ─────────────────────────────────────────────────────────────────────────────────────────────

    def action_users(self) -> None:
        """Ask whom to act as in the column in use."""
        title = f"Act as another user in {self.session.label}"
        self._ask_user(title, lambda user: self.act_as(user))

    def action_two_users(self) -> None:
        """Open a second user's column, or close it."""
        if len(self.panes) > 1:
            self.run_worker(self.remove_pane(self.panes[1]))
            return
        other = self.other_user(self.pane)
        if other in self.setup.known_users:
            self.act_as(other, beside=True)
        else:
            self._ask_user("Second user", lambda user: self.act_as(user, beside=True))

    def act_as(self, username: str, *, beside: bool = False) -> None:
        """Act as a user, in the column in use or beside it."""
        if self.replay is not None:
            self.notify("replay is read-only; Ctrl+R comes back to the live capture", markup=False)
        elif beside and len(self.panes) < 2:
            self.run_worker(self._add_beside(username))
        else:
            pane = self.panes[1] if beside else self.pane
            self.run_worker(self.change_user(pane, username))

    async def _add_beside(self, username: str) -> None:
        await self.add_pane(username)
        self.use(1)
        self.log_view.focus()

    def _ask_user(self, title: str, then: Callable[[str], None]) -> None:
        users = tuple(dict.fromkeys((*self.setup.known_users, *self._people_known())))

        def take(user: str | None) -> None:
            if user:
                then(user)

        self.app.push_screen(UsersScreen(users, self.letters, title), take)

    def _people_known(self) -> tuple[str, ...]:
        return tuple(name for session in self.sessions for name in session.names.usernames)

    async def _log_in(self, session: InspectorSession, username: str, password: str | None) -> None:
        """Log in, and go on with that; where a password is needed, ask for it."""
        try:
            rest = await self.setup.log_in(username, password)
        except TribeError as error:
            if password is None:
                self._ask_password(session, username, str(error))
            else:
                self.notify(str(error), title="not logged in", severity="error", markup=False)
                self._ask_password(session, username, str(error))
            return
        session.log_in(rest)
        self.refresh_all()

    def _ask_password(self, session: InspectorSession, username: str, reason: str) -> None:
        def take(credentials: Credentials | None) -> None:
            if credentials is not None:
                self.run_worker(self._log_in(session, credentials.username, credentials.password))

        self.app.push_screen(PasswordScreen(username, self.setup.profile, reason), take)

    def action_log_in(self) -> None:
        """Log in again: by itself where that is enough, else with a password."""
        self.run_worker(self._log_in(self.session, self.session.username, None))

    def on_login_wanted(self, event: LoginWanted) -> None:
        """Ask for the password of a session that cannot go on."""
        event.stop()
        pane = self.pane_of(event.label)
        if pane is not None and not isinstance(self.app.screen, PasswordScreen):
            self._ask_password(pane.session, event.username, event.reason)

    # ── the connection ────────────────────────────────────────────────────────────────────────────────────

    def action_disconnect(self) -> None:
        """Close the connection and stay away."""
        self.session.disconnect()
        self.refresh_all()

    def action_start_server(self) -> None:
        """Start the local server, where the inspector was told how."""
        if self.setup.start_server is None:
            self.notify("start it in another terminal:  tribe-ws serve", markup=False)
            return
        self.run_worker(self._start_server())

    async def _start_server(self) -> None:
        assert self.setup.start_server is not None
        self.notify("starting the local server …", markup=False)
        try:
            self.control = await self.setup.start_server()
        except (TribeError, OSError) as error:
            self.notify(str(error), title="no server", severity="error", markup=False)
            return
        await self.fetch_faults()
        for session in self.sessions:
            session.reconnect()

    # ── faults ────────────────────────────────────────────────────────────────────────────────────────────

    def action_faults(self) -> None:
        """Show the faults, where there is a local server that has them."""
        if self.control is None:
            self.notify("faults are for a local server of yours:  tribe-ws serve", markup=False)
            return
        self.app.push_screen(FaultsScreen(self.faults, self.change_faults))
        self.run_worker(self.fetch_faults())

    faults: tuple[FaultRow, ...] = tuple(fault_rows(()))

    async def fetch_faults(self) -> None:
        """Ask the server which faults are in force, and show them."""
        control = self.control
        if control is None:
            return
        try:
            self.faults = tuple(fault_rows(await control.faults()))
        except TribeError:
            self.query_one(Faults).add_class("-absent")
            return
        side = self.query_one(Faults)
        side.remove_class("-absent")
        side.border_title = "4 Faults  embedded" if self.setup.is_embedded else "4 Faults"
        side.show(self.faults)
        if isinstance(self.app.screen, FaultsScreen):
            self.app.screen.show(self.faults)

    def fault(self, rule: str) -> None:
        """Put a fault in force, or with an empty rule take all away."""
        self.change_faults(rule, None)

    def on_faults_toggled(self, event: Faults.Toggled) -> None:
        """Switch a fault."""
        event.stop()
        self.change_faults(event.row.rule, event.row.fault_id)

    def change_faults(self, rule: str, fault_id: int | None) -> None:
        """Put a rule in force; with a number take that fault away; with neither take all away."""
        self.run_worker(self._change_faults(rule, fault_id))

    async def _change_faults(self, rule: str, fault_id: int | None) -> None:
        control = self.control
        if control is None:
            self.notify("faults are for a local server of yours:  tribe-ws serve", markup=False)
            return
        try:
            if fault_id is not None or not rule:
                await control.clear_faults(fault_id)
            else:
                await control.add_faults(rule)
        except TribeError as error:
            self.notify(str(error), severity="error", markup=False)
        await self.fetch_faults()
