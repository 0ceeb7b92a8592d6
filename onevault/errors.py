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
"""

from __future__ import annotations


class OperatorError(Exception):
    """Something that the person who runs the gateway can mend; the text says how."""
