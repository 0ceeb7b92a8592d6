"""What the front reads of a rerank: sizes and counts, searches as Cohere bills them, and no words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from litestar_app.errors import InvalidRequest
from litestar_app.surfaces.rerank import read_rerank


def read(**body: Any) -> Any:
    return read_rerank(json.dumps({"query": "Zürich", "documents": ["a", "bc"], **body}).encode())


@pytest.mark.parametrize(("count", "searches"), [(1, 1), (100, 1), (101, 2), (1000, 10)])
def test_a_hundred_documents_are_a_search(count: int, searches: int) -> None:
    features = read(documents=["x"] * count)
    assert (features.searches, features.rare()["searches"]) == (searches, searches)


def test_the_question_is_read_with_each_document() -> None:
    features = read(model="rerank-v4.0", top_n=1, type="t", max_cost="0.5")
    assert features.prompt_bytes == 2 * len("Zürich".encode()) + 3
    assert (features.request_type, features.model, features.max_output_tokens) == ("t", "rerank-v4.0", 1)
    assert "Zürich" not in repr(features)


@pytest.mark.parametrize(
    "wrong",
    [
        {"documents": []},
        {"documents": ["x"] * 1001},
        {"documents": [""]},
        {"documents": [{"text": "x"}]},
        {"query": ""},
        {"query": None},
        {"top_n": 0},
    ],
)
def test_what_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        read(**wrong)
