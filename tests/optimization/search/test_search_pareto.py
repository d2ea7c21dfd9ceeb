from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edgeworthy.optimization.search import Point, front

FIGURES = st.sampled_from([0.0, 0.1, 0.2, 0.5, 1.0])
POINTS = st.lists(
    st.none() | st.builds(Point, loss=FIGURES, latency=FIGURES, size_bytes=st.integers(1, 4)),
    max_size=12,
)


def beats(one: Point, other: Point) -> bool:
    """At least as good in everything and better in something, spelled out."""
    no_worse = (
        one.loss <= other.loss
        and one.latency <= other.latency
        and one.size_bytes <= other.size_bytes
    )
    better = (
        one.loss < other.loss or one.latency < other.latency or one.size_bytes < other.size_bytes
    )
    return no_worse and better


@given(POINTS)
def test_the_front_is_what_nothing_beats(points: list[Point | None]) -> None:
    known = [each for each in points if each is not None]
    for point, on_front in zip(points, front(points), strict=True):
        if point is None:
            assert not on_front
        else:
            assert on_front == (not any(beats(other, point) for other in known))


@given(POINTS)
def test_every_point_off_the_front_is_beaten_by_one_on_it(points: list[Point | None]) -> None:
    marks = front(points)
    winners = [p for p, on in zip(points, marks, strict=True) if on and p is not None]
    for point, on in zip(points, marks, strict=True):
        if point is not None and not on:
            assert any(beats(winner, point) for winner in winners)
