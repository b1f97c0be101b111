# SPDX-License-Identifier: Apache-2.0
"""Relative links in *.md lead to files that exist, and to headings that exist in them.

python3 docs_links.py SOURCE_DIR; exit 1 with file:line messages on a finding.
"""
import os
import pathlib
import re
import sys
import urllib.parse

SKIPPED = {".git", "build", ".cache", "__pycache__"}
LINK = re.compile(r"!?\[(?:[^\]\[]|\[[^\]]*\])*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
FENCE = re.compile(r"\s*(```+|~~~+)")


def documents(root):
    for place, folders, files in os.walk(root):
        folders[:] = sorted(f for f in folders if f not in SKIPPED)
        yield from (pathlib.Path(place, f) for f in sorted(files) if f.endswith(".md"))


def prose(path):
    """The lines outside fenced code, numbered, without inline code."""
    fence = None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        mark = FENCE.match(line)
        if mark and fence is None:
            fence = mark[1]
        elif mark and line.strip().startswith(fence) and not line.strip().strip(fence[0]):
            fence = None
        elif fence is None:
            yield number, line


def slugs(path):
    """Anchors of the headings, as GitHub makes them."""
    found, seen = set(), {}
    for _, line in prose(path):
        heading = re.match(r"#{1,6}\s+(.*?)\s*#*\s*$", line)
        if not heading:
            continue
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[1])
        slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        count = seen.get(slug, 0)
        seen[slug] = count + 1
        found.add(f"{slug}-{count}" if count else slug)
    return found


def check(path, root):
    findings = []
    for number, line in prose(path):
        for match in LINK.finditer(re.sub(r"`[^`]*`", "``", line)):
            target = urllib.parse.unquote(match[1])
            if re.match(r"[a-z][a-z0-9+.-]*:", target):
                continue
            at = f"{path.relative_to(root)}:{number}"
            name, _, anchor = target.partition("#")
            file = (root / name[1:] if name.startswith("/") else path.parent / name) if name else path
            if not file.exists():
                findings.append(f"{at}: {target}: there is no such file")
            elif anchor and file.suffix == ".md" and anchor not in slugs(file):
                findings.append(f"{at}: {target}: there is no such heading")
    return findings


def main(source_dir):
    root = pathlib.Path(source_dir).resolve()
    findings = [finding for path in documents(root) for finding in check(path, root)]
    print("\n".join(findings), end="\n" if findings else "")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "."))
