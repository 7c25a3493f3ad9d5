"""Write the computed matrix into docs/lab.md, between its two marks: ``make matrix``."""

import asyncio
from pathlib import Path

from securechat_tui.lab.attacks import Outcome
from securechat_tui.lab.matrix import cells
from securechat_tui.lab.tables import markdown

PAGE = Path(__file__).resolve().parents[1] / "docs" / "lab.md"
BEGIN, END = "<!-- matrix: begin -->", "<!-- matrix: end -->"


async def computed() -> list[Outcome]:
    return [cell async for cell in cells()]


def main() -> None:
    page = PAGE.read_text()
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    if not after:
        raise SystemExit(f"{PAGE.name} does not have the two marks any more.")
    PAGE.write_text(f"{before}{BEGIN}\n\n{markdown(asyncio.run(computed()))}\n\n{END}{after}")
    print(f"{PAGE.name} shows what was computed now.")


if __name__ == "__main__":
    main()
