"""The clauses of the document and of the socket which nobody outside can judge, each with the reason."""

from __future__ import annotations

from tribe_ws.check.probe import unjudged

_FLAG = "is about a flag of the server, which is not seen from outside"
_INSIDE = "is about what the server keeps inside, which is not seen from outside"
_HARM = "could be judged only by doing harm to the server"

unjudged(
    {
        "document.url-development": "is about where a server in development is put",
        "document.url-production": "is about where the server in production is put",
        "document.base-url": "is about a default of the app",
        "document.tracking": _INSIDE,
        "connect.account-disabled": "needs an account that is disabled",
        "connect.origin-allowed": _FLAG,
        "connect.host-allowed": _FLAG,
        "connect.token-never-shown": _INSIDE,
        "frames.counted": _INSIDE,
        "flood.off": _FLAG,
        "close.internal": "needs a bug of the server",
        "close.restart": _HARM,
        "close.expiry-ignored": _FLAG,
        "close.heartbeat": _FLAG,
        "close.slow-consumer": _HARM,
        "close.others-unharmed": _HARM,
        "close.cleaned-up": _INSIDE,
        "limit.subscriptions": "would take more conversations than a check may leave behind",
        "limit.handshake": "is about half-open connections, which a proxy before the server may hide",
        "limit.stop": _HARM,
    }
)
