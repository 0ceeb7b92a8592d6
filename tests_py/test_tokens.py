"""The form of tokens: what is issued parses, what is not is refused, nothing shows a secret."""

import binascii
import copy
import hashlib
import hmac
import json
import pickle
import re
import traceback

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from onevault.tokens import (
    ALPHABET,
    TOKEN_LENGTH,
    Secret,
    digest_token,
    issue_token,
    make_reference,
    parse_token,
)

PEPPER = bytes(range(32))
references = st.text(alphabet=ALPHABET, min_size=8, max_size=8)
hostile_texts = st.text(st.characters(exclude_categories=()), max_size=200)


def _base62(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 62)
        digits = ALPHABET[digit] + digits
    return digits.rjust(6, "0")


@given(references)
def test_an_issued_token_has_the_documented_form_and_parses(reference: str) -> None:
    text = issue_token(reference).reveal()

    assert re.fullmatch(r"ov_[0-9A-Za-z]{8}_[0-9A-Za-z]{36}", text)
    assert text[-6:] == _base62(binascii.crc32(text[:-6].encode()))
    parsed = parse_token(text)
    assert parsed is not None
    assert parsed.reference == reference
    assert parsed.token == Secret(text)


def test_a_known_token_keeps_its_checksum_for_ever() -> None:
    body = "ov_AbCdEf12_000000000011111111112222222222"
    parsed = parse_token(body + "3jNIas")
    assert parsed is not None
    assert parsed.reference == "AbCdEf12"


def test_checksums_are_padded_to_six_digits() -> None:
    lengths = {len(issue_token(make_reference()).reveal()) for _ in range(2000)}
    assert lengths == {TOKEN_LENGTH}


@given(hostile_texts)
@example("")
@example("ov_")
@example("\x00" * TOKEN_LENGTH)
@example("\ud800" * TOKEN_LENGTH)
@example("ov_" + "\uff11" * 8 + "_" + "\u0661" * 36)
@example("' or 1=1 --".ljust(TOKEN_LENGTH, "a"))
@example("a" * 1_000_000)
def test_junk_is_refused_and_never_raises(text: str) -> None:
    assert parse_token(text) is None
    assert len(digest_token(text, PEPPER)) == 32


@given(references, st.data())
def test_any_one_changed_character_is_refused(reference: str, data: st.DataObject) -> None:
    text = issue_token(reference).reveal()
    place = data.draw(st.integers(0, TOKEN_LENGTH - 1))
    other = data.draw(st.characters(exclude_categories=()).filter(lambda c: c != text[place]))
    assert parse_token(text[:place] + other + text[place + 1 :]) is None


@given(references, st.sampled_from(["\n", " ", "\x00", "a"]))
def test_a_longer_or_shorter_token_is_refused(reference: str, extra: str) -> None:
    text = issue_token(reference).reveal()
    for changed in (text + extra, extra + text, text[:-1], text[1:], text[:-1] + "\n"):
        assert parse_token(changed) is None


@given(references)
def test_two_tokens_of_one_customer_share_no_digest(reference: str) -> None:
    first, second = issue_token(reference), issue_token(reference)
    assert first != second
    assert digest_token(first, PEPPER) != digest_token(second, PEPPER)


def test_the_digest_is_hmac_sha256_of_the_whole_token_under_the_pepper() -> None:
    token = issue_token("AbCdEf12")
    expected = hmac.new(PEPPER, token.reveal().encode(), hashlib.sha256).digest()
    assert digest_token(token, PEPPER) == expected
    assert digest_token(token.reveal(), PEPPER) == expected
    assert digest_token(token, b"another pepper".ljust(32)) != expected


@given(hostile_texts, hostile_texts)
def test_distinct_texts_have_distinct_digests(first: str, second: str) -> None:
    same = digest_token(first, PEPPER) == digest_token(second, PEPPER)
    assert same is (first == second)


@pytest.mark.parametrize("reference", ["", "short", "ninechars", "AbCdEf1_", "AbCdEf1\n", "ÄbCdEf12"])
def test_a_token_is_issued_only_for_a_good_reference(reference: str) -> None:
    with pytest.raises(ValueError, match="8 base62 characters"):
        issue_token(reference)


def test_a_secret_shows_stars_everywhere() -> None:
    token = issue_token("AbCdEf12")
    parsed = parse_token(token.reveal())
    shown = [
        repr(token),
        str(token),
        f"{token}",
        f"{token:>60}",
        f"{token!r}",
        f"{token!s}",
        repr(parsed),
        repr([token]),
        repr({"token": token}),
        repr(Secret(b"canary")),
    ]
    for text in shown:
        assert token.reveal()[12:] not in text
        assert "canary" not in text
        assert "***" in text
    assert not hasattr(token, "__dict__")


def test_a_secret_is_not_written_anywhere_by_accident() -> None:
    token = issue_token("AbCdEf12")
    for leak in (pickle.dumps, json.dumps, hash):
        with pytest.raises(TypeError) as caught:
            leak(token)
        assert token.reveal()[12:] not in "".join(traceback.format_exception(caught.value))
    with pytest.raises(TypeError):
        msgspec.json.encode(parse_token(token.reveal()))


def test_a_copied_secret_is_the_same_object() -> None:
    token = issue_token("AbCdEf12")
    assert copy.copy(token) is token
    assert copy.deepcopy([token])[0] is token


def test_secrets_compare_by_value_and_not_with_plain_text() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert Secret("\ud800") == Secret("\ud800")
