"""``/auth``: register, log in, renew, log out, and who am I."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request

from tribe_ws.protocol.models import (
    AccessTokenResponse,
    AuthResponse,
    LoginBody,
    LogoutBody,
    RefreshBody,
    RegisterBody,
    SuccessResponse,
    UserOut,
)
from tribe_ws.server.access import USER_KEY, Me, Parts
from tribe_ws.server.accounts import LoggedIn
from tribe_ws.server.bodies import StrictRoute
from tribe_ws.server.services import Services
from tribe_ws.server.views import own_user

router = APIRouter(prefix="/auth", tags=["auth"], route_class=StrictRoute)


@router.post("/register", status_code=201)
async def register(body: RegisterBody, services: Parts, request: Request) -> AuthResponse:
    """Make an account and log in to it."""
    return _answer(await services.accounts.register(body), services, request)


@router.post("/login")
async def login(body: LoginBody, services: Parts, request: Request) -> AuthResponse:
    """Exchange e-mail address or username, and password, for tokens."""
    address = request.client.host if request.client else ""
    return _answer(await services.accounts.login(body, address), services, request)


@router.post("/refresh")
async def refresh(body: RefreshBody, services: Parts, request: Request) -> AccessTokenResponse:
    """Exchange a refresh token for a fresh access token."""
    renewed = await services.accounts.renew(body.refresh_token)
    request.scope[USER_KEY] = renewed.user
    return AccessTokenResponse(access_token=renewed.access_token, expires_in=_expires_in(services))


@router.post("/logout")
async def logout(body: LogoutBody, me: Me, services: Parts) -> SuccessResponse:
    """Make a refresh token worthless; the access token lives on until its end."""
    await services.accounts.logout(me, body.refresh_token)
    return SuccessResponse(message="Logged out")


@router.get("/me")
async def read_me(me: Me) -> UserOut:
    """Show the user whose token this is."""
    return own_user(me)


def _answer(logged_in: LoggedIn, services: Services, request: Request) -> AuthResponse:
    request.scope[USER_KEY] = logged_in.user
    return AuthResponse(
        user=own_user(logged_in.user),
        access_token=logged_in.access_token,
        refresh_token=logged_in.refresh_token,
        expires_in=_expires_in(services),
    )


def _expires_in(services: Services) -> int:
    return int(services.settings.access_ttl)
