# SPDX-License-Identifier: Apache-2.0
"""Floors of the architecture: a file includes its own folder and lower floors only.

python3 include_floors.py SOURCE_DIR; exit 1 with file:line messages on a finding.
"""
import pathlib
import re
import sys

# From the bottom up. Folders of one floor do not see each other.
FLOORS = ["base", "net", "config", "telemetry", "http", "state", "upstream", "gateway",
          "filters integrations", "admin", "app"]
FLOOR = {folder: n for n, names in enumerate(FLOORS) for folder in names.split()}
INCLUDE = re.compile(r'\s*#\s*include\s*["<](sluice/)?(\w+)/')


def check(path, home, root):
    findings = []
    text = path.read_text(encoding="utf-8", errors="replace")
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        at = f"{path.relative_to(root)}:{number}"
        folder = match[2]
        if folder not in FLOOR:
            if match[1]:
                findings.append(f"{at}: sluice/{folder} is no floor")
        elif folder != home and FLOOR[folder] >= FLOOR[home]:
            findings.append(f"{at}: {home} may not include {folder}")
    return findings


def main(source_dir):
    root = pathlib.Path(source_dir).resolve()
    findings = []
    for base in (root / "src", root / "include" / "sluice"):
        for path in sorted(base.rglob("*.[ch]pp")):
            parts = path.relative_to(base).parts
            if len(parts) < 2 or parts[0] not in FLOOR:
                findings.append(f"{path.relative_to(root)}:1: not in a folder of a floor")
                continue
            findings += check(path, parts[0], root)
    print("\n".join(findings), end="\n" if findings else "")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "."))
