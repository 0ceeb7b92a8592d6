"""Settings: the environment over a .env file, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onevault.settings import (
    SOCKET_PATH_BYTES,
    SettingsError,
    load_settings,
    read_dotenv,
    short_directory,
)
from tests_py.support.settings_doc import PAGE, render


def test_defaults_need_nothing() -> None:
    settings = load_settings({}, None)
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.home == Path.cwd() / ".onevault"
    assert settings.link_dir == settings.home / "run"
    assert settings.master_key_file == settings.home / "master.key"
    assert settings.body_limit_bytes == 10 * 1024 * 1024


def test_the_environment_wins_over_the_file_and_an_empty_variable_is_none(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("ONEVAULT_PORT=9000\nONEVAULT_HOST=0.0.0.0\nONEVAULT_HOME=data\n")
    settings = load_settings({"ONEVAULT_PORT": "9001", "ONEVAULT_HOST": ""}, dotenv)
    assert (settings.host, settings.port) == ("0.0.0.0", 9001)
    assert settings.home == Path.cwd() / "data"


def test_a_file_is_read_as_people_write_it(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text(
        "# a comment\n\nexport A=1\nB = two words # not this\nC='as # it is'\nD=\"quoted\"\nE=\nF=a#b\nG=x=y\n"
    )
    found = read_dotenv(dotenv)
    assert found == {"A": "1", "B": "two words", "C": "as # it is", "D": "quoted", "F": "a#b", "G": "x=y"}


@pytest.mark.parametrize("line", ["no equals sign", "1A=x", "A B=x", "A='open"])
def test_a_broken_line_is_named(tmp_path: Path, line: str) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text(f"OK=1\n{line}\n")
    with pytest.raises(SettingsError, match="line 2"):
        read_dotenv(dotenv)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ONEVAULT_PORT", "eighty"),
        ("ONEVAULT_PORT", "65536"),
        ("ONEVAULT_PORT", "-1"),
        ("ONEVAULT_BODY_LIMIT_BYTES", "1e9"),
        ("ONEVAULT_REQUEST_TIMEOUT_SECONDS", "nan"),
        ("ONEVAULT_REQUEST_TIMEOUT_SECONDS", "inf"),
        ("ONEVAULT_WORKER_CONCURRENCY", "0"),
        ("ONEVAULT_LOG_LEVEL", "loud"),
        ("ONEVAULT_HEADER_TIMEOUT_SECONDS", "0"),
        ("ONEVAULT_MAX_CONNECTIONS", "0"),
        ("ONEVAULT_ALLOWED_HOSTS", "api.example.com:443"),
        ("ONEVAULT_ALLOWED_HOSTS", "a b"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is '{value}'"):
        load_settings({name: value}, None)


def test_a_wrong_url_is_refused_without_repeating_it() -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL") as refused:
        load_settings({"DATABASE_URL": "mysql://root:hunter2@db"}, None)
    assert "hunter2" not in str(refused.value)


def test_no_secret_shows_in_the_representation() -> None:
    settings = load_settings({"ONEVAULT_MASTER_KEY": "s3cret", "DATABASE_URL": "postgresql://a:hunter2@b/c"}, None)
    assert "s3cret" not in repr(settings)
    assert "hunter2" not in repr(settings)


@given(st.integers(1, 300))
def test_a_socket_always_fits(length: int) -> None:
    wanted = Path("/" + "x" * length)
    directory = short_directory(wanted, 20)
    assert len(str(directory)) + 20 <= SOCKET_PATH_BYTES
    assert directory == short_directory(wanted, 20)


def test_the_page_lists_every_setting() -> None:
    assert PAGE.read_text() == render(), "write it again: python -m tests_py.support.settings_doc"
