"""One harness under atheris, which is guided by the branches that inputs reach.

``python -m fuzz`` starts it in a process of its own, with the harness's name, a folder and libFuzzer's
options.
"""

import sys
from pathlib import Path

import atheris

from fuzz.limits import Meter

_GUIDES = {
    "contacts file": ["securechat_tui.storage", "securechat_tui.trust"],
    "config file": ["securechat_tui.storage", "tomllib"],
    "json command": ["securechat_tui.headless"],
}
"""Whose branches guide, where the rest of the program's would only slow the search down."""

with atheris.instrument_imports(include=_GUIDES.get(sys.argv[1], ["securechat_tui"])):
    from fuzz.harnesses import named


def main() -> None:
    """Write the seeds beside the corpus, then run until libFuzzer's options say that it is enough."""
    name, folder, *options = sys.argv[1:]
    harness = named(name)
    corpus, seeds = Path(folder, "corpus"), Path(folder, "seeds")
    for place in (corpus, seeds):
        place.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(harness.seeds()):
        Path(seeds, str(number)).write_bytes(seed)
    options += [f"-max_len={harness.longest}", f"-artifact_prefix={folder}/", str(corpus), str(seeds)]
    atheris.Setup([name, *options], Meter(harness))
    atheris.Fuzz()


main()
