"""Headers that are looked up in their bytes say what they would if they were read one by one."""

import re

import pytest
from converse_emulator.http.headers import Headers
from hypothesis import given
from hypothesis import strategies as st

NAMES = st.sampled_from([b"a", b"ab", b"b-a", b"host", b"x"])
VALUES = st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=5).map(
    lambda text: text.strip(" \t").encode("latin-1")
)


def test_headers_are_text_and_twice_is_joined() -> None:
    headers = Headers.of([(b"host", b"x"), (b"accept", b"a"), (b"accept", b"b"), (b"x", b"\xe9")])
    assert headers == {"host": "x", "accept": "a, b", "x": "é"}
    assert headers.get("accept") == "a, b"
    assert (headers.get("none"), headers.get("none", ""), len(headers)) == (None, "", 3)
    with pytest.raises(KeyError):
        headers["none"]


@pytest.mark.parametrize("name", ["x: 1", "x\r\ny", "", "é", "€"])
def test_what_is_no_name_is_not_there(name: str) -> None:
    assert name not in Headers(b"\r\nx: 1\r\ny: 2\r\n")


@given(st.lists(st.tuples(NAMES, VALUES)), st.sampled_from([b" ", b"", b"\t "]))
def test_a_lookup_is_what_reading_all_of_them_gives(pairs: list[tuple[bytes, bytes]], space: bytes) -> None:
    block = b"\r\n" + b"".join([b"%b:%b%b\r\n" % (name.title(), space, value) for name, value in pairs])
    for headers in (Headers(block), Headers.of(pairs)):
        assert headers.pairs() == pairs
        read: dict[str, str] = {}
        for name, value in pairs:
            key, text = name.decode(), value.decode("latin-1")
            read[key] = f"{read[key]}, {text}" if key in read else text
        for asked in ("a", "ab", "b-a", "host", "x", "no"):
            assert (headers.get(asked), asked in headers) == (read.get(asked), asked in read)
        assert headers == read
        assert headers.names(re.compile(rb"\r\n(a|host):")) == [
            name for name, _ in pairs if name in (b"a", b"host")
        ]
