"""Settings from the environment."""

import pytest
from converse_handler.settings import Settings, SettingsError


def test_the_defaults_are_the_documented_ones() -> None:
    settings = Settings.from_environment({})
    assert settings == Settings()
    assert (settings.first_byte_timeout, settings.between_bytes_timeout, settings.total_timeout) == (
        3,
        30,
        900,
    )
    assert (settings.tool_timeout, settings.heartbeat, settings.attempts, settings.tool_rounds) == (
        10,
        15,
        3,
        5,
    )


def test_every_member_can_be_set() -> None:
    settings = Settings.from_environment(
        {
            "CHAT_FIRST_BYTE_TIMEOUT": "0.5",
            "CHAT_BETWEEN_BYTES_TIMEOUT": "1",
            "CHAT_TOTAL_TIMEOUT": "2",
            "CHAT_TOOL_TIMEOUT": "0.25",
            "CHAT_HEARTBEAT": "0.1",
            "CHAT_ATTEMPTS": "1",
            "CHAT_BACKOFF": "0.01",
            "CHAT_TOOL_ROUNDS": "2",
            "CHAT_MODEL_ID": "amazon.nova-micro-v1:0",
            "CHAT_MAX_TOKENS": "100",
            "CHAT_SYSTEM_PROMPT": "Be brief.",
            "CHAT_RESUME_WINDOW": "10",
            "CHAT_RESUME_GRACE": "0",
            "CHAT_RESUME_EVENTS": "99",
            "CHAT_RESUME_ANSWERS": "9",
            "CHAT_REDIS_URL": "redis://r:6379/0",
            "HOME": "/",
        }
    )
    assert settings == Settings(
        0.5,
        1,
        2,
        0.25,
        0.1,
        1,
        0.01,
        2,
        "amazon.nova-micro-v1:0",
        100,
        "Be brief.",
        10,
        0,
        99,
        9,
        "redis://r:6379/0",
    )


@pytest.mark.parametrize("value", ["", "soon", "0", "-1", "nan", "inf"])
def test_a_duration_that_is_none(value: str) -> None:
    with pytest.raises(SettingsError) as error:
        Settings.from_environment({"CHAT_HEARTBEAT": value})
    assert str(error.value) == f"CHAT_HEARTBEAT is {value!r}; allowed is a number of seconds above 0"


@pytest.mark.parametrize("value", ["", "0", "-1", "1.5", "many", "²"])
def test_a_count_that_is_none(value: str) -> None:
    with pytest.raises(SettingsError, match=r"CHAT_ATTEMPTS is .* a whole number of at least 1"):
        Settings.from_environment({"CHAT_ATTEMPTS": value})


@pytest.mark.parametrize("name", ["CHAT_MODEL_ID", "CHAT_SYSTEM_PROMPT"])
def test_a_text_that_is_blank(name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is ' '; allowed is a text that is not blank"):
        Settings.from_environment({name: " "})


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(SettingsError) as error:
        Settings.from_environment({"CHAT_HEARTBEAT": "x", "CHAT_ATTEMPTS": "y"})
    assert len(str(error.value).splitlines()) == 2
