"""The kinds of providers there are, by the names under which offers know them."""

from __future__ import annotations

from onevault.settings import Settings
from worker.providers.anthropic import AnthropicProvider
from worker.providers.base import Provider, Transport
from worker.providers.bedrock import BedrockProvider
from worker.providers.cohere import CohereProvider
from worker.providers.google import GoogleProvider
from worker.providers.openai import AZURE, MISTRAL, OpenAIProvider
from worker.providers.sandbox import SandboxProvider
from worker.providers.voyage import VoyageProvider


def open_providers(transport: Transport, settings: Settings) -> dict[str, Provider]:
    """One adapter of each kind, over one transport."""
    return {
        "openai": OpenAIProvider(transport),
        "azure": OpenAIProvider(transport, AZURE),
        "mistral": OpenAIProvider(transport, MISTRAL),
        "anthropic": AnthropicProvider(transport),
        "google": GoogleProvider(transport),
        "bedrock": BedrockProvider(transport),
        "cohere": CohereProvider(transport),
        "voyage": VoyageProvider(transport),
        "sandbox": SandboxProvider(settings),
    }
