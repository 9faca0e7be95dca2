import pytest

from digest.trend import bars, line, signed


def test_bars_are_in_proportion_and_a_little_is_never_nothing() -> None:
    assert bars([10, 5, 1, 0], 100) == [100, 50, 10, 0]
    assert bars([1000, 1], 50) == [50, 1]
    assert bars([], 10) == []
    assert bars([0, 0], 10) == [0, 0]


def test_the_line_runs_from_left_to_right_over_a_scale_from_nought() -> None:
    points = line(
        [{"label": "一", "stories": 0}, {"label": "二", "stories": 5}, {"label": "三", "stories": 10}],
        100,
        50,
    )
    assert [(point["x"], point["y"]) for point in points] == [(0, 50), (50, 25), (100, 0)]


def test_a_single_point_and_none_are_drawn() -> None:
    assert [(p["x"], p["y"]) for p in line([{"label": "一", "stories": 0}], 100, 50)] == [(100, 50)]
    assert line([], 100, 50) == []


@pytest.mark.parametrize(("value", "wanted"), [(5, "+5"), (-5, "−5"), (0, "持平")])
def test_differences_have_a_true_sign(value: int, wanted: str) -> None:
    assert signed(value) == wanted
