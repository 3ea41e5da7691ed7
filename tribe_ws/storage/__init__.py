"""Persistence: users, conversations, messages and refresh tokens, in SQLite or PostgreSQL.

``Storage`` is the one thing a server opens; ``records`` are the values it hands out. Nothing above this
package sees a connection, a row or a dialect.
"""
