"""What front and worker have in common about their connections to the database."""

from __future__ import annotations

import asyncio

import psycopg


def leaves_unusable(error: BaseException) -> bool:
    """Whether a connection that is still open must not be used again after this error of a statement.

    What the server has answered has an SQLSTATE, psycopg refuses bad parameters before it sends anything, and on a
    cancellation it reads the answer to its end. All else may leave one half read, over which the next would trip.
    """
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return error.sqlstate is None
    return not isinstance(error, psycopg.Error | asyncio.CancelledError)
