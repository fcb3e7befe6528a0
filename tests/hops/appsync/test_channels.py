"""Channel names, what wildcards cover, and rules about who may do what where."""

import re

import pytest
from converse_hops.appsync.channels import Allow, BadChannel, Caller, Channel, anybody, only
from hypothesis import given
from hypothesis import strategies as st

ALICE = Caller("AWS_LAMBDA", "alice")
SEGMENT = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,48}[A-Za-z0-9])?"
SEGMENTS = st.lists(st.from_regex(SEGMENT, fullmatch=True), min_size=1, max_size=5)


@pytest.mark.parametrize(
    "name", ["/default", "default", "default/", "/a/b/c/d/e", "/a-b/C9", f"/{'x' * 50}", "/0"]
)
def test_names(name: str) -> None:
    assert str(Channel.read(name)) == f"/{name.strip('/')}"


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            "/",
            "//a",
            "/a//b",
            "/a/b/c/d/e/f",
            "/a-",
            "/-a",
            "/a_b",
            "/a.b",
            f"/{'x' * 51}",
            "/ä",
            "/a b",
        ),
        *(None, 7, ["/a"], "/a/*", "/*", "/a/*/b", "/a\n"),
    ],
)
def test_what_is_no_name(name: object) -> None:
    with pytest.raises(BadChannel, match="1 to 5 segments"):
        Channel.read(name)


@pytest.mark.parametrize("name", ["/*", "*", "/a/*/b", "/a*", "/a/b/c/d/e/f/*"])
def test_what_is_no_name_to_subscribe_to_either(name: str) -> None:
    with pytest.raises(BadChannel, match=re.escape("/namespace/*")):
        Channel.read(name, wildcard=True)


@pytest.mark.parametrize(
    ("subscribed", "published", "gets"),
    [
        ("/chat/a", "/chat/a", True),
        ("/chat/a", "/chat/b", False),
        ("/chat/a", "/chat/a/b", False),
        ("/chat/*", "/chat/a", True),
        ("/chat/*", "/chat/a/b/c", True),
        ("/chat/*", "/chat", False),
        ("/chat/*", "/chatter/a", False),
        ("/chat/a/*", "/chat/b/a", False),
        ("/chat/A", "/chat/a", False),
    ],
)
def test_who_gets_what(subscribed: str, published: str, gets: bool) -> None:
    assert Channel.read(subscribed, wildcard=True).covers(Channel.read(published)) is gets


@given(SEGMENTS, SEGMENTS)
def test_a_wildcard_covers_what_is_beneath_it(stem: list[str], other: list[str]) -> None:
    every, channel = Channel(tuple(stem), wildcard=True), Channel(tuple(other))
    assert every.covers(channel) is str(channel).startswith(f"{str(every).removesuffix('*')}")
    assert every.covers(every)


RULES = only(
    [
        Allow("connect"),
        Allow("subscribe", "/chat/{user}/*", modes=("AWS_LAMBDA",)),
        Allow("publish", "/chat/*", modes=("AWS_IAM",)),
    ]
)


@pytest.mark.parametrize(
    ("channel", "allowed"),
    [
        ("/chat/alice/1", True),
        ("/chat/alice/*", True),
        ("/chat/bob/1", False),
        ("/chat/bob/*", False),
        ("/chat/*", False),  # the way around such a rule: everybody's channels at once
        ("/chat/alice", False),
        ("/other/alice/1", False),
    ],
)
def test_only_ones_own_channels(channel: str, allowed: bool) -> None:
    assert RULES(ALICE, "subscribe", Channel.read(channel, wildcard=True)) is allowed
    assert not RULES(Caller("API_KEY", "alice"), "subscribe", Channel.read(channel, wildcard=True))


def test_who_may_listen_may_not_publish() -> None:
    channel = Channel.read("/chat/alice/1")
    assert not RULES(ALICE, "publish", channel)
    assert RULES(Caller("AWS_IAM", "AKIA"), "publish", channel)
    assert RULES(ALICE, "connect", None)
    assert anybody(ALICE, "publish", channel)


@pytest.mark.parametrize("name", ["", "*", "bob/*", "bob", "../bob"])
def test_a_name_is_one_segment_and_never_a_pattern(name: str) -> None:
    assert not RULES(Caller("AWS_LAMBDA", name), "subscribe", Channel.read("/chat/alice/1"))
    assert not RULES(Caller("AWS_LAMBDA", name), "subscribe", Channel.read("/chat/*", wildcard=True))
