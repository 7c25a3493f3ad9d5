"""Draw screenshots/*.svg from the real app, played against the engine of the tests.

Run it from the project's folder: python tools/screenshots.py [FOLDER]
"""

import asyncio
import importlib
import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "screenshots"
PICTURES = {
    "chat": "chat",
    "chat-80x24": "chat-80",
    "start": "start",
    "first-run": "first-run",
    "hosting": "hosting",
    "fingerprints": "fingerprints",
    "details": "details",
    "key-changed": "alarm",
    "help": "help",
}


async def draw(scene_name: str) -> str:
    """Play a scene and return what is then on the screen."""
    scenes = importlib.import_module("scenes")  # of the tests, whose folder main() puts on the path
    scene = scenes.SCENES[scene_name]
    app, play = scenes.stage_scene(scene)
    async with app.run_test(size=scene.size) as pilot:
        await play(pilot)
        return str(app.export_screenshot(title="securechat-tui", simplify=True))


def main() -> None:
    """Draw every picture, at a fixed time zone so that they come out the same everywhere."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    sys.path.insert(0, str(ROOT / "tests" / "tui"))
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for file_name, scene_name in PICTURES.items():
        target = folder / f"{file_name}.svg"
        target.write_text(asyncio.run(draw(scene_name)), encoding="utf-8")
        print(target)


if __name__ == "__main__":
    main()
