import threading
from collections.abc import Iterator

import pytest

from sightline.engine.counters import Counters
from sightline.engine.read_ahead import read_ahead


def test_items_keep_their_order() -> None:
    assert list(read_ahead(range(500), lambda _: 1, Counters())) == list(range(500))


def test_the_source_is_drained_while_the_consumer_works() -> None:
    drained = threading.Event()

    def source() -> Iterator[int]:
        yield from range(5)
        drained.set()

    items = read_ahead(source(), lambda _: 1, Counters())
    assert next(items) == 0
    assert drained.wait(timeout=20)  # before the consumer requests the other four
    assert list(items) == [1, 2, 3, 4]


def test_waiting_items_are_limited_by_their_bytes() -> None:
    taken: list[int] = []

    def source() -> Iterator[int]:
        for item in range(100):
            taken.append(item)
            yield item

    for item in read_ahead(source(), lambda _: 10, Counters(), max_bytes=35):
        # Three are waiting, and the reader has one more that does not fit yet.
        assert len(taken) <= item + 1 + 3 + 2
    assert len(taken) == 100


def test_waiting_items_without_bytes_are_limited_by_their_number() -> None:
    taken: list[int] = []

    def source() -> Iterator[int]:
        for item in range(1000):
            taken.append(item)
            yield item

    for item in read_ahead(source(), lambda _: 0, Counters()):
        # 64 are waiting, and the reader has one more that does not fit yet.
        assert len(taken) <= item + 1 + 64 + 2
    assert len(taken) == 1000


def test_one_item_above_the_limit_is_read() -> None:
    sizes = [1, 1000, 1]
    assert list(read_ahead(sizes, lambda size: size, Counters(), max_bytes=10)) == sizes


def test_a_failing_source_fails_after_the_items_before_it() -> None:
    def source() -> Iterator[int]:
        yield 1
        yield 2
        raise OSError("the socket is gone")

    seen: list[int] = []
    with pytest.raises(OSError, match="the socket is gone"):
        seen.extend(read_ahead(source(), lambda _: 1, Counters()))
    items = read_ahead(source(), lambda _: 1, Counters())
    assert [next(items), next(items)] == [1, 2]


def test_the_reader_ends_when_its_consumer_ends() -> None:
    before = threading.active_count()
    items = read_ahead(iter(int, 1), lambda _: 1, Counters(), max_bytes=4)  # has no end
    assert next(items) == 0
    items.close()  # type: ignore[attr-defined]
    for thread in threading.enumerate():
        if thread.name == "sightline-read":
            thread.join(timeout=20)
    assert threading.active_count() == before


def test_waiting_for_the_source_is_counted() -> None:
    may_go = threading.Event()

    def source() -> Iterator[int]:
        may_go.wait(timeout=20)
        yield 1

    counters = Counters()
    threading.Timer(0.05, may_go.set).start()
    assert list(read_ahead(source(), lambda _: 1, counters)) == [1]
    assert counters.read_wait_s > 0.01
