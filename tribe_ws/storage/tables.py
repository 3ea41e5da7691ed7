"""The tables, once for both dialects.

Moments are whole milliseconds since 1970 and ids are text: precise, and equal in SQLite and PostgreSQL. Names
that must be unique whatever their case have a case-folded twin, because the dialects disagree on ``lower()``
beyond ASCII.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

users = Table(
    "users",
    metadata,
    Column("id", Text, primary_key=True),
    Column("email", Text, nullable=False),
    Column("email_key", Text, nullable=False, unique=True),
    Column("username", Text, nullable=False),
    Column("username_key", Text, nullable=False, unique=True),
    Column("full_name", Text, nullable=False),
    # What a search looks through: username and full name, case-folded.
    Column("search_key", Text, nullable=False),
    Column("bio", Text),
    Column("profile_image_url", Text),
    Column("cover_image_url", Text),
    Column("goals_achieved", Integer, nullable=False),
    Column("photos_shared", Integer, nullable=False),
    Column("email_verified", Boolean, nullable=False),
    Column("is_verified", Boolean, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("status", Text, nullable=False),
    Column("last_seen_ms", BigInteger),
    Column("created_ms", BigInteger, nullable=False),
    Column("password_hash", Text, nullable=False),
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False, index=True),
    Column("token_hash", Text, nullable=False),
    Column("device_info", JSON(none_as_null=True)),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False, index=True),
    Column("revoked_ms", BigInteger),
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("conversation_type", Text, nullable=False),
    Column("name", Text),
    Column("image_url", Text),
    # "LOWER-ID:HIGHER-ID" of a direct conversation: two people have one, however often they ask.
    Column("direct_key", Text, unique=True),
    # Both are moved in the transaction of each message: they hand out seq and created_at.
    Column("last_seq", BigInteger, nullable=False),
    Column("last_message_ms", BigInteger),
    Column("created_ms", BigInteger, nullable=False),
)

participants = Table(
    "participants",
    metadata,
    Column("conversation_id", Text, ForeignKey("conversations.id"), primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), primary_key=True, index=True),
    Column("role", Text, nullable=False),
    Column("joined_ms", BigInteger, nullable=False),
    Column("last_read_seq", BigInteger, nullable=False),
    Column("last_read_ms", BigInteger),
    Column("is_muted", Boolean, nullable=False),
    Column("is_archived", Boolean, nullable=False),
    sqlite_with_rowid=False,
)

messages = Table(
    "messages",
    metadata,
    Column("id", Text, primary_key=True),
    Column("conversation_id", Text, ForeignKey("conversations.id"), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("sender_id", Text, ForeignKey("users.id"), nullable=False),
    Column("content", Text, nullable=False),
    Column("message_type", Text, nullable=False),
    Column("media_url", Text),
    Column("media_thumbnail_url", Text),
    Column("metadata", JSON(none_as_null=True)),
    Column("reply_to_message_id", Text, ForeignKey("messages.id")),
    Column("is_edited", Boolean, nullable=False),
    Column("is_deleted", Boolean, nullable=False),
    Column("client_message_id", Text),
    Column("created_ms", BigInteger, nullable=False),
    # The socket whose client posted it, where it said so: that one gets no echo.
    Column("connection_id", Text),
    UniqueConstraint("conversation_id", "seq"),
)

# Facts about the database itself.
meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
    sqlite_with_rowid=False,
)

sent_keys = Table(
    "sent_keys",
    metadata,
    # The digest of sender, conversation, kind of key and key: one short column to look up on the hot path.
    Column("id", Text, primary_key=True),
    Column("message_id", Text, ForeignKey("messages.id"), nullable=False),
    Column("body_digest", Text, nullable=False),
    Column("expires_ms", BigInteger, nullable=False, index=True),
    sqlite_with_rowid=False,
)
