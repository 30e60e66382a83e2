"""What a soak calls a leak, and what it does not."""

from tests.chaos.soak import DESCRIPTORS_MAX, LOOK_S, WARM_S, Life, Look
from tests.support.vitals import slope

LOOKS = 24


def a_life(files_a_look: int, kb_a_trade: int, at_start: int = 60) -> Life:
    """A process that trades three times between two looks."""
    looks = [
        Look(LOOK_S * n, 3 * n, at_start + files_a_look * n, 200_000 + kb_a_trade * 3 * n)
        for n in range(LOOKS)
    ]
    return Life(pid=1, began_s=0, looks=looks)


def test_a_file_that_is_left_open_at_every_look_is_found_within_one_life() -> None:
    gained = a_life(files_a_look=2, kb_a_trade=0).descriptors_gained()
    assert gained is not None
    assert gained > DESCRIPTORS_MAX
    assert a_life(files_a_look=0, kb_a_trade=0).descriptors_gained() == 0


def test_what_a_process_opens_at_its_start_is_no_leak() -> None:
    life = a_life(files_a_look=0, kb_a_trade=0)
    life.looks.insert(0, Look(WARM_S / 2, 0, 5, 50_000))
    assert life.descriptors_gained() == 0
    assert life.kb_a_trade() == 0


def test_a_life_that_is_too_short_says_nothing() -> None:
    life = Life(pid=1, began_s=0, looks=[Look(WARM_S, 1, 60, 200_000)])
    assert life.descriptors_gained() is None
    assert life.kb_a_minute() is None


def test_memory_is_told_by_trade_and_by_minute() -> None:
    life = a_life(files_a_look=0, kb_a_trade=40)
    per_trade, per_minute = life.kb_a_trade(), life.kb_a_minute()
    assert per_trade is not None
    assert per_minute is not None
    assert round(per_trade, 6) == 40
    assert round(per_minute, 6) == 40 * 3 * 60 / LOOK_S


def test_a_slope_is_the_line_of_the_least_squares() -> None:
    assert slope([(0, 1), (1, 3), (2, 5)]) == 2
    assert slope([(0, 0), (1, 3), (2, 0)]) == 0
    assert slope([(4, 1), (4, 2)]) is None
    assert slope([]) is None
