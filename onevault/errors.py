"""The root of the errors that a person who runs the gateway can mend.

    OperatorError          the text is one sentence for that person: what is wrong, what to do
     ├── SettingsError         settings.py
     ├── EmbeddedError         embedded.py
     ├── SystemUserError       system_user.py
     ├── RefugeError           refuge.py
     ├── DatabaseError         database.py
     ├── MigrateError          migrate.py
     ├── MasterKeyError        master_key.py
     └── CommandError          cli/output.py

The command line prints the text and exits with 1; it never shows a traceback for one.

    unwind                 cuts the traces of an error that has been dealt with
"""

from __future__ import annotations


class OperatorError(Exception):
    """Something that the person who runs the gateway can mend; the text says how."""


def unwind(error: BaseException) -> None:
    """Cut the traces of an error that has been dealt with, and of those it came from.

    A trace holds the frames that the error passed, and they hold the request and often the error itself: a ring, whose
    memory comes back when the collector gets to it rather than when the request ends.
    """
    seen: set[int] = set()
    rest: list[BaseException | None] = [error]
    while rest:
        found = rest.pop()
        if found is not None and id(found) not in seen:
            seen.add(id(found))
            found.__traceback__ = None
            rest += (found.__cause__, found.__context__)
