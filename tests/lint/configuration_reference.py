# SPDX-License-Identifier: Apache-2.0
"""docs/reference/configuration.md is what `sluice reference` prints, and config/schema.json what
`sluice schema` prints.

python3 configuration_reference.py SOURCE_DIR; exit 1 with file:line messages on a finding.
Needs the program: SLUICE_BINARY, or ../sluice of the directory ctest runs tests in.
"""
import os
import pathlib
import subprocess
import sys

GENERATED = {"reference": "docs/reference/configuration.md", "schema": "config/schema.json"}


def find_binary():
    named = os.environ.get("SLUICE_BINARY")
    if named:
        return named
    beside = pathlib.Path.cwd().parent / "sluice"
    return str(beside) if os.access(beside, os.X_OK) and beside.is_file() else None


def main(source_dir):
    root = pathlib.Path(source_dir).resolve()
    binary = find_binary()
    if not binary:
        print("nothing compared: set SLUICE_BINARY to the program")
        return 0
    failed = 0
    for command, name in GENERATED.items():
        run = subprocess.run([binary, command], capture_output=True, timeout=60, check=True)
        wanted = run.stdout.decode().rstrip("\n").splitlines()
        path = root / name
        found = path.read_text(encoding="utf-8").rstrip("\n").splitlines() if path.exists() else []
        if wanted == found:
            continue
        same = 0
        while same < min(len(wanted), len(found)) and wanted[same] == found[same]:
            same += 1
        print(f"{name}:{same + 1}: not what the program prints; sluice {command} > {name}")
        failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "."))
