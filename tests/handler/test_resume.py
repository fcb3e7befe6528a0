"""Answers that are read on after a break, over real sockets: nothing lost, nothing twice, one call."""

import time
from collections.abc import Callable

import httpx
import pytest
from converse_emulator import Session

from tests.handler.resuming import ask_until, client, ids_in, numbers_in, resume, text_in

Serve = Callable[..., str]


def test_the_rest_of_an_answer_that_went_on_meanwhile(serve: Serve, bedrock: Session) -> None:
    bedrock.play([{"text": "one "}, {"gate": "2"}, {"text": "two "}, {"gate": "3"}, {"text": "three"}])
    url = serve(resume_grace=30)
    with client() as who:
        begun = ask_until(url, '"one "', who)
        bedrock.open_gate("2")
        bedrock.open_gate("3")
        rest = resume(url, ids_in(begun)[-1], who)
    assert rest.status_code == 200
    assert rest.text.startswith("retry: 3000\nid: ")
    assert rest.text.endswith("\n\ndata: [DONE]\n\n")
    assert "content-location" not in rest.headers
    assert text_in(begun + rest.text) == "one two three"
    assert numbers_in(begun + rest.text) == list(range(1, 8))
    (exchange,) = bedrock.journal.wait(1)
    assert exchange.ended == "finished"


def test_it_comes_live(serve: Serve, bedrock: Session) -> None:
    bedrock.play([{"text": "one "}, {"gate": "2"}, {"text": "two"}])
    url = serve(resume_grace=30)
    with client() as who:
        begun = ask_until(url, '"one "', who)
        last = ids_in(begun)[-1]
        answer = last.rpartition("-")[0]
        with who.stream("GET", f"{url}/chat/{answer}", headers={"last-event-id": last}) as response:
            bedrock.open_gate("2")
            rest = "".join(response.iter_text())
    assert text_in(rest) == "two"
    assert numbers_in(rest) == [4, 5, 6]


def test_the_address_is_known_before_the_model_says_anything(serve: Serve, bedrock: Session) -> None:
    bedrock.play([{"gate": "1"}, {"text": "Hi"}])
    url = serve(resume_grace=30)
    with client() as who:
        asked = {"messages": [{"role": "user", "content": "x"}]}
        with who.stream("POST", f"{url}/chat", json=asked) as response:
            address = response.url.join(response.headers["content-location"])
        bedrock.open_gate("1")
        assert text_in(who.get(address).text) == "Hi"
    assert len(bedrock.journal.wait(1)) == 1


def test_where_to_go_on_may_stand_in_the_query_and_the_header_wins(serve: Serve, bedrock: Session) -> None:
    bedrock.play("Hello")
    url = serve()
    with client() as who:
        whole = ask_until(url, "[DONE]", who)
        first, *_, last = ids_in(whole)
        answer = f"{url}/chat/{first.rpartition('-')[0]}"
        assert who.get(answer).text == whole
        assert ids_in(who.get(answer, params={"last_event_id": first}).text) == ids_in(whole)[1:]
        from_query = who.get(answer, params={"last_event_id": first}, headers={"last-event-id": last})
        assert from_query.status_code == 204


def test_who_has_it_all_gets_204_and_who_does_not_gets_the_end(serve: Serve, bedrock: Session) -> None:
    bedrock.play("Hello")
    url = serve()
    with client() as who:
        *_, before, last = ids_in(ask_until(url, "[DONE]", who))
        assert resume(url, last, who).status_code == 204
        end = resume(url, before, who)
    assert '"type":"message_stop"' in end.text
    assert ids_in(end.text) == [last]


def test_an_answer_is_not_kept_for_ever(serve: Serve, bedrock: Session) -> None:
    bedrock.play("Hello")
    url = serve(resume_window=0.2)
    with client() as who:
        *_, last = ids_in(ask_until(url, "[DONE]", who))
        time.sleep(0.5)
        gone = resume(url, last, who)
    assert gone.status_code == 404
    assert gone.json() == {"error": "there is no such answer, or it is not kept any more"}


@pytest.mark.parametrize("last", ["1", "msg_b-1", "{}-", "{}-x", "{}--1", "{}-1 ", "{}-9999999999"])
def test_an_id_of_something_else_is_refused(serve: Serve, bedrock: Session, last: str) -> None:
    bedrock.play("Hello")
    url = serve()
    with client() as who:
        answer = ids_in(ask_until(url, "[DONE]", who))[0].rpartition("-")[0]
        refused = who.get(f"{url}/chat/{answer}", params={"last_event_id": last.format(answer)})
    assert refused.status_code == 400
    assert refused.json()["error"].startswith("Last-Event-ID must be the id of an event of this answer: ")


def test_nobody_can_list_or_guess(serve: Serve, bedrock: Session) -> None:
    bedrock.play("Hello")
    url = serve()
    with client() as who:
        ask_until(url, "[DONE]", who)
        assert who.get(f"{url}/chat").status_code == 405
        assert who.get(f"{url}/chat/", follow_redirects=True).status_code == 405
        assert who.get(f"{url}/chat/msg_{'0' * 32}").status_code == 404
        assert "msg_" not in who.get(f"{url}/metrics").text


def ended_after(bedrock: Session, moment: float) -> float:
    (exchange,) = bedrock.journal.wait(1)
    assert exchange.ended == "client left"
    assert exchange.ended_at is not None
    return exchange.started_at + exchange.ended_at - moment


def test_without_grace_a_browser_that_leaves_lets_go_of_bedrock_within_a_second(
    serve: Serve, bedrock: Session
) -> None:
    bedrock.play([{"text": "one "}, {"wait": "forever"}])
    url = serve()
    with client() as who:
        begun = ask_until(url, '"one "', who)
        assert ended_after(bedrock, time.time()) < 1.0
        rest = resume(url, ids_in(begun)[-1], who).text
    assert '"code":"stream_interrupted"' in rest
    assert rest.index("content_block_stop") < rest.index("stream_interrupted")
    assert numbers_in(rest) == [4, 5]


def test_grace_is_waited_for_and_no_longer(serve: Serve, bedrock: Session) -> None:
    bedrock.play([{"text": "one "}, {"wait": "forever"}])
    with client() as who:
        ask_until(serve(resume_grace=0.5), '"one "', who)
        assert 0.4 < ended_after(bedrock, time.time()) < 5.0


def test_stopping_does_not_wait_for_grace(serve: Serve, bedrock: Session) -> None:
    bedrock.play([{"text": "one "}, {"wait": "forever"}])
    url = serve(resume_grace=600)
    with client() as who:
        last = ids_in(ask_until(url, '"one "', who))[-1]
        stopped_at = time.time()
        assert who.delete(f"{url}/chat/{last.rpartition('-')[0]}").status_code == 204
        assert ended_after(bedrock, stopped_at) < 1.0


@pytest.mark.parametrize("cut_after", range(1, 14))
def test_wherever_it_is_cut_nothing_is_lost_and_nothing_comes_twice(
    serve: Serve, bedrock: Session, cut_after: int
) -> None:
    """The connection is cut after so many events, again and again."""
    bedrock.play([{"text": "a b c d e f g h ", "split": "words", "every": "10ms"}])
    url = serve(resume_grace=30)
    got: list[str] = []
    with client() as who:
        response: httpx.Response | None = None
        while response is None or response.status_code == 200:
            address = f"{url}/chat" + (f"/{got[-1].rpartition('-')[0]}" if got else "")
            headers = {"last-event-id": got[-1]} if got else {}
            asked = {"messages": [{"role": "user", "content": "x"}]}
            with who.stream(
                "GET" if got else "POST", address, headers=headers, json=None if got else asked
            ) as response:
                new: list[str] = []
                for line in response.iter_lines():
                    new += [line.removeprefix("id: ")] if line.startswith("id: ") else []
                    if len(new) > cut_after:  # the event of the last id was not read to its end
                        break
                got += new[:cut_after] if len(new) > cut_after else new
        assert response.status_code == 204
    assert [int(id.rpartition("-")[2]) for id in got] == list(range(1, 13))
    assert len({id.rpartition("-")[0] for id in got}) == 1
    assert len(bedrock.journal.wait(1)) == 1
