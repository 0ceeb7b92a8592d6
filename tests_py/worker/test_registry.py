"""What SQL believes that a kind of provider can be told is what its adapter can tell it."""

from __future__ import annotations

from typing import get_args, get_origin, get_type_hints

import pytest

from onevault.settings import Settings
from tests_py.providers.cohere import MOST_TEXTS
from tests_py.support.cluster import ClonedDatabase
from tests_py.worker.kit import tls
from worker.dialects import chat_request, cohere_request, converse_request, gemini_request, messages_request
from worker.providers import anthropic, bedrock, cohere, google, openai, voyage
from worker.providers.openai import MISTRAL
from worker.providers.registry import open_providers
from worker.providers.wire import open_transport

TOLD = {
    "anthropic": messages_request.PARAMETERS,
    "bedrock": converse_request.CLAUDES,
    "cohere": cohere_request.PARAMETERS,
    "google": gemini_request.PARAMETERS - {"n"},  # it is refused there, not left out
    "mistral": chat_request.PARAMETERS - set(MISTRAL["drop"]),
    "openai": chat_request.PARAMETERS,
    "azure": chat_request.PARAMETERS,
}
# What lies in no conversation.
APART = {"messages", "responses", "storage", "dimensions", "token_input", "max_tokens_per_doc"}

QUIRKS = {
    "anthropic": anthropic.Quirks,
    "azure": openai.Quirks,
    "bedrock": bedrock.Quirks,
    "cohere": cohere.Quirks,
    "google": google.Quirks,
    "mistral": openai.Quirks,
    "openai": openai.Quirks,
    "voyage": voyage.Quirks,
}
JSON_TYPES = {
    str: "string",
    bool: "boolean",
    int: "number",
    dict: "object",
    list: "array",
    tuple: "array",
    frozenset: "array",
}


@pytest.mark.parametrize("kind", QUIRKS)
def test_sql_knows_what_adapters_read_of_their_settings(database: ClonedDatabase, kind: str) -> None:
    """And of which type it is. Catches: a setting that an adapter learns and no DBA may set."""
    read = {"region": "string"}  # which prices ask for, whoever serves them
    for name, hint in get_type_hints(QUIRKS[kind]).items():
        parts = get_args(hint)
        alone = parts[0] if type(None) in parts else hint
        read[name] = JSON_TYPES[get_origin(alone) or alone]
    known = database.query("select s.setting, s.json_type from admin.fn_list_settings(%s) as s", kind)
    assert {str(setting): json_type for setting, json_type in known} == read


def test_sql_knows_what_adapters_can_tell(database: ClonedDatabase) -> None:
    named = {
        kind: set(database.query("select ops.fn_name_grammars(%s, '{}')", kind)[0][0]) - APART
        for kind in (*TOLD, "voyage")
    }
    special = set().union(*named.values())
    for kind, parameters in TOLD.items():
        assert named[kind] == special & parameters, kind
    assert named["voyage"] == set()


def test_sql_knows_how_many_texts_cohere_takes(database: ClonedDatabase) -> None:
    assert database.query("select ops.fn_most_inputs('cohere', '{embedding}', null)") == [(MOST_TEXTS,)]


async def test_sql_knows_the_kinds_there_are(database: ClonedDatabase) -> None:
    transport = open_transport(context=tls())
    kinds = set(open_providers(transport, Settings()))
    await transport.aclose()
    with database.connect() as connection:
        for kind in kinds:
            connection.execute(
                "insert into admin.provider (provider, adapter_kind, api_endpoint) values (%s, %s, %s)",
                (f"a-{kind}", kind, "in-process" if kind == "sandbox" else "https://example.com"),
            )
