from __future__ import annotations

from retriton_serving.engines.shape_grid import ShapeGrid

SHAPES = [(rows, length) for rows in range(1, 257) for length in range(1, 513)]


def test_every_shape_fits_its_place_in_the_grid() -> None:
    grid = ShapeGrid(512)
    for rows, length in SHAPES:
        fitted = grid.fit(rows, length)
        assert fitted[0] >= rows
        assert length <= fitted[1] <= 512
        assert grid.fit(*fitted) == fitted


def test_rounding_adds_less_than_an_eighth_or_seven_tokens() -> None:
    grid = ShapeGrid(512)
    for rows, length in SHAPES:
        more_rows, longer = grid.fit(rows, length)
        assert (more_rows - rows) * 8 < rows + 8
        assert longer - length < max(8, length / 8)


def test_the_grid_is_small_and_ends_at_the_model_s_limit() -> None:
    grid = ShapeGrid(510)
    lengths = {grid.fit(1, length)[1] for length in range(1, 511)}
    assert len(lengths) == 32
    assert max(lengths) == 510
    assert len({grid.fit(rows, 8)[0] for rows in range(1, 257)}) == 48
