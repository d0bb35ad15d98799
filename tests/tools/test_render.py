"""Contact sheets: right size, something on them."""

from __future__ import annotations

import numpy as np

from tools.render import faces, plates, sheet, training


def test_sheets() -> None:
    assert faces(16).shape[2] == 3
    drawn = plates(9, ["BR"], 1)
    assert drawn.shape == (160, 1600, 3) and drawn.std() > 20
    assert np.array_equal(drawn, plates(9, ["BR"], 1))
    assert training(3, 2, None, None).shape == (68, 1200, 3)
    assert sheet([np.zeros((10, 10, 3), np.uint8)], 2, (20, 20)).shape == (20, 40, 3)
