"""The grammars in which customers ask: each checks a body and measures it."""
