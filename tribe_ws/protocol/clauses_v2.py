"""The clauses of contract 3.5, and of contract 2 as far as it tells who gets v2."""

from __future__ import annotations

from tribe_ws.protocol.clause import clauses

V2 = (
    *clauses(
        "contract 2",
        {
            "v2.negotiated": "A client that offers tribe.v2 gets it selected, on that connection alone.",
            "v2.others-untouched": "Who does not offer it gets the server's profile, byte for byte.",
            "v2.turned-away": "A client that offers it and is turned away learns the close code.",
        },
        level="v2",
    ),
    *clauses(
        "contract 3.5",
        {
            "v2.connected": "connected tells connection, user, server, epoch, heartbeat and expiry.",
            "v2.ref": "The answer to a frame carries its ref, of at most 64 characters.",
            "v2.ref-absent": "An answer to a frame without ref has no ref.",
            "v2.subscribed": "subscribed tells seq, epoch and who is online.",
            "v2.message": "message.new carries seq, from 1 without gaps, and client_message_id.",
            "v2.resume": "after_seq and epoch get recovered true, what was missed in order, then live ones.",
            "v2.resume-seam": "There is no gap and no duplicate at the seam.",
            "v2.resume-limit": "More than 1,000 missed: recovered false, and no replay.",
            "v2.resume-epoch": "Another epoch: recovered false, and no replay.",
            "v2.epoch": "A fresh database has another epoch; the same one keeps it over a restart.",
            "v2.echo": "echo brings the own user's messages, but not those posted by this connection.",
            "v2.no-echo": "Without echo the own user's messages do not come.",
            "v2.unsubscribed-requested": "unsubscribe is answered by unsubscribed, requested.",
            "v2.unsubscribed-removed": "Who is taken out of a conversation gets unsubscribed, removed.",
            "v2.error": "A frame that cannot be followed gets error with its code; the connection lives on.",
            "v2.error-not-found": "An unknown conversation and a foreign one are answered alike: not_found.",
            "v2.error-rate-limited": "Each frame beyond the limit gets rate_limited and is dropped.",
            "v2.error-subscriptions": "One subscription too many gets too_many_subscriptions.",
            "v2.error-internal": "A database that does not answer gets internal, which is retryable.",
            "v2.auth": "auth renews the token of a live connection and is answered by authenticated.",
            "v2.auth-refused": "A bad token or another user's gets error; the connection keeps its own.",
            "v2.token-expiring": "token.expiring comes 60 s before the end.",
            "v2.token-expires": "Without renewal the connection is closed with 4401 token_expired.",
            "v2.presence": "presence reaches v2, whatever the server's profile.",
            "v2.read": "message.read reaches v2, whatever the server's profile.",
        },
        level="v2",
    ),
)
