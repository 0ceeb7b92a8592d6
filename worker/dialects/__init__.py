"""How customers and providers speak: each grammar's requests and answers, and what they mean to each other.

A request in one grammar becomes a `Conversation` and is written in another; an answer becomes events (`events.py`) and
is written back. Only calls whose two sides speak differently come here.
"""
