"""Run every benchmark, each in a fresh process, one after the other."""

import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Run the modules in the order of their names; return how many of them failed."""
    here = Path(__file__).resolve().parent
    modules = [
        path.stem for name in ("ladder_*.py", "screen_*.py", "store.py") for path in sorted(here.glob(name))
    ]
    failed = 0
    for module in modules:
        print(f"-- {module}", file=sys.stderr, flush=True)
        run = subprocess.run([sys.executable, "-m", f"bench.{module}"], cwd=here.parent, check=False)
        failed += run.returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
