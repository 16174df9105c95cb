"""Known vulnerabilities of the pinned libraries, and how many of them could be looked up at all.

    python .ci/audit.py

Exit code 1 where one is vulnerable. Where the advisory service does not answer, that is said: then
nothing is known, which is not the same as nothing found.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PINNED = Path(__file__).parents[1] / "constraints.txt"
TOOL = ("pip_audit", "--no-deps", "--disable-pip", "--timeout", "10", "--format", "json")


def main() -> int:
    command = [sys.executable, "-m", *TOOL, "--requirement", str(PINNED)]
    made = subprocess.run(command, capture_output=True, text=True)
    try:
        libraries = json.loads(made.stdout)["dependencies"]
    except (ValueError, KeyError):
        said = made.stderr.strip().splitlines()
        print(f"NOT AUDITED: no advisory service answers ({said[-1] if said else 'no words'})")
        return 0
    skipped = [each["name"] for each in libraries if "skip_reason" in each]
    vulnerable = {each["name"]: each["vulns"] for each in libraries if each.get("vulns")}
    for name, found in vulnerable.items():
        for each in found:
            fixed = ", ".join(each.get("fix_versions", [])) or "none yet"
            print(f"{name}: {each['id']}, fixed in {fixed}")
    audited = len(libraries) - len(skipped)
    if not audited:
        print(f"NOT AUDITED: the advisory service knows none of the {len(libraries)} libraries")
    else:
        print(f"{audited} of {len(libraries)} libraries audited, {len(vulnerable)} vulnerable")
        if skipped:
            print("not audited: " + ", ".join(skipped))
    return 1 if vulnerable else 0


if __name__ == "__main__":
    sys.exit(main())
