"""The clauses of contract 4: tokens, the secret that signs them, and passwords."""

from __future__ import annotations

from tribe_ws.protocol.clause import clauses

TOKENS = clauses(
    "contract 4",
    {
        "token.access-claims": "An access token holds sub, type, iat, exp, jti, username and email.",
        "token.access-life": "An access token lives 60 minutes.",
        "token.refresh-claims": "A refresh token holds sub, type, token_id, iat and exp.",
        "token.refresh-life": "A refresh token lives 30 days.",
        "token.refresh-hashed": "A refresh token is stored hashed.",
        "token.secret-file": "Without TRIBE_WS_SECRET the secret comes from a 0600 file made at first start.",
        "token.short-secret": "A secret under 32 bytes is refused.",
        "token.algorithm-fixed": "The algorithm is never read from the token.",
        "token.required-claims": "A token without exp, iat, sub or type is refused.",
        "token.leeway": "A token is accepted up to 5 s after its end, not longer.",
        "token.two-parameters": "Two token parameters are refused.",
        "token.query-and-header": "A query and a header that differ are refused; alike, they are accepted.",
        "token.argon2id": "Passwords are stored as Argon2id hashes.",
    },
)
