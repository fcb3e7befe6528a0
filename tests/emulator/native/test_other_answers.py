"""Embeddings and images: bodies of the right shape, the same for the same request; words change nothing."""

import base64
import json
import math
import struct
import zlib
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest
from converse_emulator.answering.answer import automatic_reply
from converse_emulator.choosing.request import Request
from converse_emulator.language.scenario import Text
from converse_emulator.native.images import png
from converse_emulator.native.vectors import vector
from converse_emulator.playing.acts import Head, Send
from converse_emulator.spelling.operations import read
from converse_emulator.spelling.timeline import compile_reply

OPERATION = "InvokeModel"


def asked(model_id: str, native: Mapping[str, Any]) -> Request:
    content, _ = read(OPERATION, model_id, {}, native)
    return Request(OPERATION, model_id, {}, content, native=native)


def answer(model_id: str, **native: Any) -> Any:
    timeline = compile_reply((), asked(model_id, native), seed="7", now=0.0)
    (sent,) = [beat.act.data for beat in timeline.beats if isinstance(beat.act, Send)]
    return json.loads(sent)


def length(values: list[float]) -> float:
    return math.sqrt(sum(value * value for value in values))


def nearness(one: str, other: str) -> float:
    return sum(a * b for a, b in zip(vector(one, 256), vector(other, 256), strict=True))


# ------------------------------------------------------------------------------------------ embeddings


def test_texts_that_share_words_are_near_each_other() -> None:
    related = nearness("how do I cancel my subscription", "cancel a subscription")
    assert related > nearness("how do I cancel my subscription", "the weather in Paris") + 0.2
    assert nearness("Hello, World", "hello world") > 0.8
    assert vector("a", 64) == vector("a", 64) != vector("b", 64)


def test_titan_text_1() -> None:
    body = answer("amazon.titan-embed-text-v1", inputText="Hi")
    assert list(body) == ["embedding", "inputTextTokenCount"]
    assert len(body["embedding"]) == 1536


@pytest.mark.parametrize(
    ("asked_for", "size"), [(None, 1024), (512, 512), (256, 256), (9999, 1024), ("x", 1024)]
)
def test_titan_text_2_has_the_dimensions_that_are_asked_for(asked_for: Any, size: int) -> None:
    body = answer(
        "amazon.titan-embed-text-v2:0", inputText="Hi", **({"dimensions": asked_for} if asked_for else {})
    )
    assert list(body) == ["embedding", "embeddingsByType", "inputTextTokenCount"]
    assert len(body["embedding"]) == size
    assert body["embeddingsByType"] == {"float": body["embedding"]}
    assert length(body["embedding"]) == pytest.approx(1, abs=1e-6)


def test_titan_text_2_in_other_forms() -> None:
    body = answer("amazon.titan-embed-text-v2:0", inputText="Hi", dimensions=256, embeddingTypes=["binary"])
    assert set(body) == {"embeddingsByType", "inputTextTokenCount"}
    assert set(body["embeddingsByType"]["binary"]) == {0, 1}
    assert length(answer("amazon.titan-embed-text-v2:0", inputText="Hi", normalize=False)["embedding"]) > 2


def test_titan_multimodal() -> None:
    body = answer(
        "amazon.titan-embed-image-v1", inputText="Hi", embeddingConfig={"outputEmbeddingLength": 384}
    )
    assert list(body) == ["embedding", "inputTextTokenCount", "message"]
    assert len(body["embedding"]) == 384


def test_cohere_3() -> None:
    body = answer("cohere.embed-english-v3", texts=["Hello", "You"], input_type="search_query")
    assert list(body) == ["embeddings", "id", "response_type", "texts"]
    assert [len(each) for each in body["embeddings"]] == [1024, 1024]
    assert (body["response_type"], body["texts"]) == ("embeddings_floats", ["hello", "you"])


def test_cohere_by_type() -> None:
    kinds = ["float", "int8", "uint8", "binary", "ubinary"]
    body = answer(
        "us.cohere.embed-v4:0", texts=["Hi"], input_type="x", embedding_types=kinds, output_dimension=256
    )
    assert body["response_type"] == "embeddings_by_type"
    sizes = {kind: len(body["embeddings"][kind][0]) for kind in kinds}
    assert sizes == {"float": 256, "int8": 256, "uint8": 256, "binary": 32, "ubinary": 32}
    assert all(-128 <= value <= 127 for value in body["embeddings"]["binary"][0])
    assert all(0 <= value <= 255 for value in body["embeddings"]["ubinary"][0])
    signs = [value > 0 for value in body["embeddings"]["float"][0][:8]]
    assert body["embeddings"]["ubinary"][0][0] == sum(sign << 7 - n for n, sign in enumerate(signs))


def test_a_scenarios_words_change_no_embedding() -> None:
    request = asked("amazon.titan-embed-text-v1", {"inputText": "Hi"})
    said, unsaid = (
        [
            beat.act.data
            for beat in compile_reply(reply, request, seed="7", now=0.0).beats
            if isinstance(beat.act, Send)
        ]
        for reply in ((Text("word"),), ())
    )
    assert said == unsaid


def test_the_automatic_answer_of_an_embedding_model_is_no_prose() -> None:
    assert automatic_reply(asked("amazon.titan-embed-text-v1", {"inputText": "Hi"}), Random(7)) == ()
    assert automatic_reply(asked("amazon.titan-text-lite-v1", {"inputText": "Hi"}), Random(7)) != ()


def test_the_headers_of_an_embedding_count_no_output() -> None:
    timeline = compile_reply((), asked("amazon.titan-embed-text-v1", {"inputText": "Hi"}), seed="7", now=0.0)
    head = timeline.beats[0].act
    assert isinstance(head, Head)
    assert [name for name, _ in head.headers][5:] == [
        "X-Amzn-Bedrock-Invocation-Latency",
        "X-Amzn-Bedrock-Input-Token-Count",
    ]


# ---------------------------------------------------------------------------------------------- images


@pytest.mark.parametrize("model_id", ["amazon.nova-canvas-v1:0", "amazon.titan-image-generator-v2:0"])
def test_images(model_id: str) -> None:
    config = {"width": 320, "height": 65, "numberOfImages": 2, "seed": 3}
    body = answer(
        model_id, taskType="TEXT_IMAGE", textToImageParams={"text": "a cat"}, imageGenerationConfig=config
    )
    assert list(body) == ["images", "error"]
    images = [base64.b64decode(image) for image in body["images"]]
    assert len(set(images)) == 2
    assert {size_of(image) for image in images} == {(320, 65)}
    assert all(len(image) < 200 for image in images)


def size_of(image: bytes) -> tuple[int, int]:
    """Width and height of a PNG; its parts and pixels are checked on the way."""
    assert image[:8] == b"\x89PNG\r\n\x1a\n"
    parts, rest = {}, image[8:]
    while rest:
        (size,) = struct.unpack(">I", rest[:4])
        kind, data, check = rest[4:8], rest[8 : 8 + size], rest[8 + size : 12 + size]
        assert struct.unpack(">I", check) == (zlib.crc32(kind + data),)
        parts[kind], rest = data, rest[12 + size :]
    assert list(parts) == [b"IHDR", b"PLTE", b"IDAT", b"IEND"]
    width, height = struct.unpack(">II", parts[b"IHDR"][:8])
    assert len(zlib.decompress(parts[b"IDAT"])) == height * (1 + -(-width // 8))
    return width, height


def test_an_image_is_that_of_its_prompt() -> None:
    assert png(1, 1, "a") == png(1, 1, "a") != png(1, 1, "b")
