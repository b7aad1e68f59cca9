"""What a host says about a script, beside the report."""

from __future__ import annotations

import pytest

from weir_connectors.ssh_answer import MOST, Answer, Listener, TooMuch

MARK = b"\x1eabc"


def heard(*words: bytes) -> Answer:
    listener = Listener(MARK)
    for word in words:
        listener.feed(word)
    return listener.answer()


def said(word: str, content: bytes = b"") -> bytes:
    return MARK + f" {word}\n".encode() + content


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        pytest.param([], Answer(), id="nothing"),
        pytest.param([b"bash: no\n"], Answer(noise=b"bash: no\n"), id="noise"),
        pytest.param([said("begin")], Answer(begun=True), id="it runs"),
        pytest.param([said("missing 1")], Answer(missing=1), id="no interpreter"),
        pytest.param([said("begin"), said("folder")], Answer(True, True), id="no folder"),
        pytest.param(
            [said("begin"), said("end 3"), said("done")], Answer(begun=True, code=3), id="its end"
        ),
        pytest.param(
            [said("begin"), b"sh: Killed\n", said("end 0"), said("var A", b"=1\n\x1eab\n=")],
            Answer(begun=True, code=0, variables={"A": "1\n\x1eab\n="}),
            id="a variable",
        ),
        pytest.param(
            [said("end 0"), said("var A", b"="), said("var B", b"=\xff")],
            Answer(code=0, variables={"A": "", "B": "\ufffd"}),
            id="odd variables",
        ),
        pytest.param(
            [said("end 0"), said("file 0", b"\x00\xff\n"), said("lost 1"), said("file 2")],
            Answer(code=0, files={0: b"\x00\xff\n", 2: b""}, lost=[1]),
            id="files",
        ),
    ],
)
def test_an_answer_is_understood_in_any_pieces(words: list[bytes], answer: Answer) -> None:
    assert heard(*words) == answer
    assert heard(*(bytes([byte]) for byte in b"".join(words))) == answer


def test_the_end_is_noticed() -> None:
    listener = Listener(MARK)
    for piece in (said("begin"), said("end 0"), said("done")[:-1]):
        listener.feed(piece)
        assert not listener.done
    listener.feed(b"\n")
    assert listener.done


def test_too_much_is_refused() -> None:
    listener = Listener(MARK)
    listener.feed(said("file 0", b"x" * MOST))
    with pytest.raises(TooMuch):
        listener.feed(b"x" * 100_000)
