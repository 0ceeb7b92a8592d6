"""Tokens from headers, and whose address counts."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litestar_app.auth import AddressBook, Headers, TokenDesk, user_agent
from litestar_app.errors import InvalidToken
from onevault.tokens import ALPHABET, TOKEN_LENGTH, digest_token
from tests_py.litestar_app.kit import PEPPER, TOKEN


@pytest.mark.parametrize(
    "headers",
    [
        {b"authorization": b"Bearer " + TOKEN.encode()},
        {b"authorization": b"bearer  " + TOKEN.encode() + b" "},
        {b"x-api-key": TOKEN.encode()},
        {b"authorization": b"Basic abc", b"x-api-key": TOKEN.encode()},
    ],
)
def test_a_token_is_found(headers: Headers) -> None:
    assert TokenDesk([PEPPER]).digests(headers) == [digest_token(TOKEN, PEPPER)]


@settings(deadline=None)
@given(st.integers(0, TOKEN_LENGTH - 1), st.data())
def test_tokens_that_begin_alike_are_not_alike(length: int, data: st.DataObject) -> None:
    """However long the prefix that two tokens share, they share no digest, under any pepper."""
    twin = TOKEN[:length] + data.draw(st.text(ALPHABET, min_size=TOKEN_LENGTH - length, max_size=TOKEN_LENGTH - length))
    peppers = [PEPPER, b"o" * 32]
    if twin != TOKEN:
        assert not {digest_token(TOKEN, key) for key in peppers} & {digest_token(twin, key) for key in peppers}


def test_while_the_master_key_changes_the_current_digest_is_tried_before_and_after_the_older() -> None:
    older = b"o" * 32
    digests = TokenDesk([PEPPER, older]).digests({b"x-api-key": TOKEN.encode()})
    current = digest_token(TOKEN, PEPPER)
    assert digests == [current, digest_token(TOKEN, older), current]
    assert digests[0] is digests[2], "the front tells by this that it is the current one"


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"Bearer",
        b"Bearer ",
        b"Bearer sk-123",
        pytest.param(b"Bearer " + TOKEN[:-1].encode() + b"~", id="Bearer one letter off"),
        pytest.param(b"Bearer " + TOKEN.encode() * 2, id="Bearer twice"),
        pytest.param(TOKEN.encode(), id="no Bearer"),
        b"Bearer \xff\xfe",
        b"Bearer ov_" + b"\x00" * 45,
    ],
)
def test_junk_is_refused_without_being_told(value: bytes | None) -> None:
    headers = {} if value is None else {b"authorization": value}
    with pytest.raises(InvalidToken) as caught:
        TokenDesk([PEPPER]).digests(headers)
    assert caught.value.status == 401
    assert "sk-123" not in caught.value.message


def scope(peer: str | None, *forwarded: str) -> Any:
    headers = [(b"x-forwarded-for", line.encode()) for line in forwarded]
    return {"client": None if peer is None else (peer, 1234), "headers": headers}


TRUSTED = AddressBook([ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("::1")])


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.9", (), "203.0.113.9"),
        ("203.0.113.9", ("198.51.100.1",), "203.0.113.9"),
        ("10.0.0.1", ("198.51.100.1",), "198.51.100.1"),
        ("::1", ("198.51.100.1",), "198.51.100.1"),
        ("10.0.0.1", ("6.6.6.6, 198.51.100.1",), "198.51.100.1"),
        ("10.0.0.1", ("6.6.6.6", "198.51.100.1, 10.0.0.2"), "198.51.100.1"),
        ("10.0.0.1", ("2001:db8::1",), "2001:db8::1"),
        ("10.0.0.1", ("not an address",), "10.0.0.1"),
        ("10.0.0.1", ("198.51.100.1, <script>",), "10.0.0.1"),
        ("10.0.0.1", ("10.0.0.3, 10.0.0.2",), "10.0.0.3"),
        ("10.0.0.1", (), "10.0.0.1"),
        (None, (), None),
    ],
)
def test_only_trusted_proxies_name_the_client(
    peer: str | None, forwarded: tuple[str, ...], address: str | None
) -> None:
    assert TRUSTED.client_ip(scope(peer, *forwarded)) == address


def test_without_trusted_proxies_the_header_means_nothing() -> None:
    assert AddressBook().client_ip(scope("10.0.0.1", "198.51.100.1")) == "10.0.0.1"


def test_the_agent_is_printable_and_short() -> None:
    assert user_agent({}) is None
    assert user_agent({b"user-agent": b"curl/8\x00\x1b[0m"}) == "curl/8[0m"
    assert len(user_agent({b"user-agent": b"x" * 5000}) or "") == 256
