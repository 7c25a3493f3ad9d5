"""One picture of each screen, compared with the one a person has looked at."""

from collections.abc import Callable

import pytest
from scenes import SCENES, stage_scene


@pytest.mark.parametrize("name", sorted(SCENES))
def test_screen(name: str, snap_compare: Callable[..., bool]) -> None:
    scene = SCENES[name]
    app, play = stage_scene(scene)
    assert snap_compare(app, terminal_size=scene.size, run_before=play)
