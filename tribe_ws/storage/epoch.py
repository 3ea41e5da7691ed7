"""The epoch of a database: the name of the one history in which a message's ``seq`` means something.

It is made with the database and stays with it. Whoever puts other contents into a database, as a restore
does, gives it another epoch in the same transaction: no client takes up where it left off in another history.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from tribe_ws.clock import new_id
from tribe_ws.storage.tables import meta

_KEY = "epoch"


def epoch_of(connection: Connection) -> str:
    """Tell the epoch of a database, and make it where there is none yet."""
    found = connection.execute(select(meta.c.value).where(meta.c.key == _KEY)).scalar_one_or_none()
    return str(found) if found is not None else renew_epoch(connection)


def renew_epoch(connection: Connection) -> str:
    """Begin another epoch, within the caller's transaction."""
    epoch = new_id()
    connection.execute(delete(meta).where(meta.c.key == _KEY))
    connection.execute(insert(meta).values(key=_KEY, value=epoch))
    return epoch
