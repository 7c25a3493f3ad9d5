"""Pictures of every screen at three sizes, without colour and in other themes, as a person approved them."""

from collections.abc import Callable

import pytest
from scenes import PICTURES, stage_scene


@pytest.mark.parametrize("name", PICTURES)
def test_screen(name: str, snap_compare: Callable[..., bool], monkeypatch: pytest.MonkeyPatch) -> None:
    scene, look = PICTURES[name]
    if not look.colour:
        monkeypatch.setenv("NO_COLOR", "1")
    app, play = stage_scene(scene, look.theme)
    assert snap_compare(app, terminal_size=look.size, run_before=play)
