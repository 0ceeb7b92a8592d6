"""What would cost more than the price book knows is refused, never booked at a price that is wrong."""

from __future__ import annotations

from litestar_app.errors import InvalidRequest
from litestar_app.grammar import ChatRequest, NativeRequest

_STANDARD_TIERS = (None, "auto", "default", "standard")


def refuse_unpriced(request: ChatRequest | NativeRequest) -> None:
    """Raises `InvalidRequest` for features that providers bill by meters or tiers that have no price here."""
    if request.service_tier not in _STANDARD_TIERS:
        raise InvalidRequest("`service_tier` must be auto or default: the others have no price here.", "service_tier")
    if request.web_search_options:
        raise InvalidRequest("`web_search_options` cannot be used: searches have no price here.", "web_search_options")
    if request.audio or (request.modalities is not None and request.modalities != ["text"]):
        place = "audio" if request.audio else "modalities"
        raise InvalidRequest(f"`{place}` cannot be used: only text output has a price here.", place)
    for index, message in enumerate(request.messages or ()):
        if isinstance(message.content, list):
            for number, part in enumerate(message.content):
                if part.type == "input_audio":
                    place = f"messages[{index}].content[{number}]"
                    raise InvalidRequest(f"`{place}` is sound, which has no price here.", place)
