"""Who somebody is: registering, logging in, and the tokens that prove it afterwards (contract 4, 5).

Nothing here says whether an address has an account: a login that fails looks the same and takes the same
time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tribe_ws.clock import Clock
from tribe_ws.errors import NotAllowed
from tribe_ws.protocol import close_codes
from tribe_ws.protocol.models import LoginBody, RegisterBody
from tribe_ws.server.passwords import Passwords
from tribe_ws.server.throttle import LoginThrottle
from tribe_ws.server.tokens import (
    Claims,
    TokenIssuer,
    TokenKind,
    TokenRefused,
    Unauthorised,
    token_hash,
)
from tribe_ws.storage.records import User
from tribe_ws.storage.storage import Storage

MEMORY_SECONDS = 1.0
"""How long ``recognise`` may rely on what it read of a user."""
MEMORY_SIZE = 10_000


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks, and the token that says so."""

    user: User
    claims: Claims


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A user with a fresh pair of tokens."""

    user: User
    access_token: str
    refresh_token: str


class WrongPassword(NotAllowed):
    """The name or the password is wrong; it is not said which."""

    code = "wrong_password"


class Accounts:
    """The use cases around who somebody is."""

    def __init__(
        self,
        storage: Storage,
        tokens: TokenIssuer,
        passwords: Passwords,
        throttle: LoginThrottle,
        clock: Clock,
    ) -> None:
        self._storage = storage
        self._tokens = tokens
        self._passwords = passwords
        self._throttle = throttle
        self._clock = clock
        self._memory: dict[str, tuple[User, float]] = {}

    async def register(self, body: RegisterBody) -> LoggedIn:
        """Make an account; raises ``ConflictError`` for a taken address or name."""
        password_hash = await self._passwords.hash(body.password)
        user = await self._storage.users.create(body.email, body.username, body.full_name, password_hash)
        return await self._log_in(user, None)

    async def login(self, body: LoginBody, address: str) -> LoggedIn:
        """Exchange a password for tokens.

        Raises ``WrongPassword``, ``TooManyRequests``, or ``Unauthorised`` for a disabled account.
        """
        self._throttle.check(body.email, address)
        user = await self._storage.users.by_login(body.email)
        if not await self._passwords.verify(body.password, user.password_hash if user else None):
            self._throttle.count_failure(body.email, address)
            raise WrongPassword("Incorrect email or password")
        assert user is not None
        if not user.is_active:
            raise Unauthorised(close_codes.ACCOUNT_DISABLED)
        return await self._log_in(user, body.device_info)

    async def renew(self, refresh_token: str) -> LoggedIn:
        """Exchange a refresh token for an access token beside it; raises ``Unauthorised``."""
        claims = self._tokens.verify(refresh_token, TokenKind.REFRESH)
        if not await self._storage.tokens.is_live(
            claims.token_id, token_hash(refresh_token), self._clock.now()
        ):
            raise TokenRefused(close_codes.TOKEN_REVOKED)
        user = await self._active_user(claims.user_id)
        return LoggedIn(user, self._tokens.access(user), refresh_token)

    async def logout(self, user: User, refresh_token: str) -> None:
        """Make a refresh token of that user worthless; one that already is needs nothing done.

        Raises ``TokenRefused`` for what is no refresh token of that user.
        """
        try:
            claims = self._tokens.verify(refresh_token, TokenKind.REFRESH)
        except TokenRefused as refused:
            if refused.close_code is close_codes.TOKEN_EXPIRED:
                return
            raise
        if claims.user_id != user.id:
            raise TokenRefused(close_codes.TOKEN_INVALID)
        await self._storage.tokens.revoke(claims.token_id)

    async def authenticate(self, token: str | None) -> Identity:
        """Tell whose access token that is, from the database; raises ``Unauthorised``."""
        claims = self._tokens.verify(token, TokenKind.ACCESS)
        user = await self._active_user(claims.user_id)
        self._remember(user)
        return Identity(user, claims)

    async def recognise(self, token: str | None) -> Identity:
        """Tell whose access token that is, from memory where that is no older than a second.

        For the hot path, whose write checks the membership once more anyway. Raises ``Unauthorised``.
        """
        claims = self._tokens.verify(token, TokenKind.ACCESS)
        remembered = self._memory.get(claims.user_id)
        if remembered is not None and self._clock.monotonic() < remembered[1]:
            return Identity(remembered[0], claims)
        return await self.authenticate(token)

    def forget(self) -> None:
        """Rely on nothing read before: the database holds something else now."""
        self._memory.clear()

    def have_seen(self, sender: User) -> None:
        """Take note of a user as a write has just found them, which spares ``recognise`` a read.

        Who sends all the time would otherwise be read once a second, and a thousand of them all at once.
        """
        if sender.is_active:
            self._remember(sender)
        else:
            self._memory.pop(sender.id, None)

    async def update(self, user: User, changes: dict[str, Any]) -> User:
        """Change the named fields of a user's own profile."""
        updated = await self._storage.users.update(user.id, changes) if changes else user
        self._remember(updated)
        return updated

    async def _log_in(self, user: User, device_info: Any) -> LoggedIn:
        refresh = self._tokens.refresh(user)
        await self._storage.tokens.add(
            refresh.token_id, user.id, refresh.token_hash, refresh.expires_at, device_info
        )
        return LoggedIn(user, self._tokens.access(user), refresh.token)

    async def _active_user(self, user_id: str) -> User:
        user = await self._storage.users.by_id(user_id)
        if user is None:
            raise Unauthorised(close_codes.USER_UNKNOWN)
        if not user.is_active:
            raise Unauthorised(close_codes.ACCOUNT_DISABLED)
        return user

    def _remember(self, user: User) -> None:
        if user.id not in self._memory and len(self._memory) >= MEMORY_SIZE:
            del self._memory[next(iter(self._memory))]
        self._memory[user.id] = (user, self._clock.monotonic() + MEMORY_SECONDS)
