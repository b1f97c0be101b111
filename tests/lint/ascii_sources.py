# SPDX-License-Identifier: Apache-2.0
"""Sources are plain ASCII with an SPDX line at the top.

python3 ascii_sources.py SOURCE_DIR; exit 1 with file:line messages on a finding.
ASCII, because a look-alike letter or an invisible direction mark can make a reviewer read other
code than the compiler does. Test data that needs other bytes spells them as escapes.
"""
import os
import pathlib
import sys

FOLDERS = ["include", "src", "tests", "bench", "demo", "cmake", "scripts", ".ci"]
SUFFIXES = {".cpp", ".hpp", ".cc", ".h", ".cmake", ".sh", ".py"}
DATA = {"corpus", "golden"}  # cases and expected output; their programs are looked at all the same
SPDX = "SPDX-License-Identifier: Apache-2.0"


def is_source(path):
    if path.suffix in SUFFIXES or path.name in ("CMakeLists.txt", "Makefile"):
        return True
    if path.suffix or DATA & set(path.parts):
        return False
    with path.open("rb") as file:
        return file.read(2) == b"#!"


def sources(root):
    found = [root / "CMakeLists.txt", root / "Makefile"]
    for folder in FOLDERS:
        for place, folders, files in os.walk(root / folder):
            folders[:] = [f for f in folders if f != "__pycache__"]
            found += [pathlib.Path(place, name) for name in files]
    return sorted(path for path in found if path.is_file() and is_source(path))


def check(path, root):
    name = path.relative_to(root)
    lines = path.read_bytes().split(b"\n")
    findings = []
    first = 1 if lines[0].startswith(b"#!") else 0
    if len(lines) <= first or SPDX.encode() not in lines[first]:
        findings.append(f"{name}:{first + 1}: the first line should be {SPDX}")
    for number, line in enumerate(lines, 1):
        odd = next((c for c in line if c > 0x7E or (c < 0x20 and c != 0x09)), None)
        if odd is not None:
            findings.append(f"{name}:{number}: byte 0x{odd:02x} is not printable ASCII")
    return findings


def main(source_dir):
    root = pathlib.Path(source_dir).resolve()
    findings = [finding for path in sources(root) for finding in check(path, root)]
    print("\n".join(findings), end="\n" if findings else "")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "."))
