# SPDX-License-Identifier: Apache-2.0
"""What the documentation names exists: commands, options, metrics, make targets, YAML keys.

python3 docs_options.py SOURCE_DIR; exit 1 with file:line messages on a finding.
The YAML part needs the program: SLUICE_BINARY, or ../sluice of the directory ctest runs tests in.
A block that is not Sluice's configuration is fenced as "```yaml other".
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

METRIC = re.compile(r"\bsluice_[a-z0-9_]+\*?")
COMMAND = re.compile(r"(?:^|[\s`/$(])sluice +([a-z][a-z-]*)((?: +[^\s`|;&)]+)*)")
# What only says that a part shown elsewhere, or a file of the reader's, is not there.
ABSENT = re.compile(r"unknown API|has no stage|unknown usage plan|has no method|cannot read")


def documents(root):
    return sorted([*root.glob("*.md"), *(root / "docs").rglob("*.md")])


def code_of(lines):
    """(line number, text) of inline code and of fenced lines."""
    fenced = False
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif fenced:
            yield number, line
        else:
            yield from ((number, span) for span in re.findall(r"`([^`]+)`", line))


def yaml_blocks(lines):
    """(number of the line before the first, text) of every ```yaml block."""
    start = None
    for number, line in enumerate(lines, 1):
        if start is None and re.fullmatch(r"\s*```ya?ml\s*", line):
            start = number
        elif start is not None and line.strip() == "```":
            indent = len(lines[start - 1]) - len(lines[start - 1].lstrip())
            yield start, "\n".join(text[indent:] for text in lines[start:number - 1]) + "\n"
            start = None


class Known:
    def __init__(self, root):
        cli = (root / "src/app/cli.cpp").read_text(encoding="utf-8")
        self.commands = set(re.findall(r'(?:command\(cli, |cli\.add_subcommand\()"([a-z-]+)"', cli))
        self.nested = set(re.findall(r'command\(\*keys, "([a-z-]+)"', cli))
        self.options = set(re.findall(r"--[a-z][a-z-]*", cli)) | {"--help"}
        text = "".join(p.read_text(encoding="utf-8") for p in sorted((root / "src").rglob("*.cpp")))
        self.metrics = set(re.findall(r'"(sluice_[a-z0-9_]+)"', text))
        makefile = (root / "Makefile").read_text(encoding="utf-8")
        rules = re.findall(r"^([a-z][a-z ]*):", makefile, re.M)
        self.targets = {target for rule in rules for target in rule.split()}

    def has_metric(self, name):
        if name.endswith(("*", "_")):  # a family of names, or a pattern that begins like this
            return any(metric.startswith(name.rstrip("*")) for metric in self.metrics)
        return name in self.metrics or re.sub("_(bucket|sum|count)$", "", name) in self.metrics


def check_names(lines, known):
    for number, text in code_of(lines):
        for command, rest in COMMAND.findall(text):
            words = rest.split()
            if command not in known.commands:
                yield number, f"there is no command sluice {command}"
            elif command == "keys" and (not words or words[0] not in known.nested):
                yield number, f"there is no command sluice keys {' '.join(words[:1])}"
            for option in re.findall(r"(?<!\S)--[a-z][a-z-]*", rest):
                if option not in known.options:
                    yield number, f"sluice {command} has no option {option}"
        for target in re.findall(r"^(?:\$ )?make ([a-z]+)$", text.strip()):
            if target not in known.targets:
                yield number, f"there is no target make {target}"
    for number, line in enumerate(lines, 1):
        for name in METRIC.findall(line):
            if not known.has_metric(name):
                yield number, f"there is no metric {name}"


def check_yaml(lines, binary, folder):
    for start, text in yaml_blocks(lines):
        file = folder / "block.yaml"
        file.write_text(text, encoding="utf-8")
        names = re.findall(r"\$\{([A-Z][A-Z0-9_]*)", text)
        # Values differ, as keys must.
        values = {name: f"{n:03}" + "x" * 37 for n, name in enumerate(names)}
        run = subprocess.run([binary, "validate", "--config", str(file)], capture_output=True,
                             text=True, timeout=60, check=False, env={**os.environ, **values})
        if run.returncode == 0:
            continue
        for line in run.stderr.splitlines():
            found = re.match(re.escape(str(file)) + r":(\d+):\d+: (?!warning: )(.*)", line)
            if found and not ABSENT.search(found[2]):
                yield start + int(found[1]), found[2]
        if run.returncode not in (0, 3):
            yield start, f"sluice validate ended with {run.returncode}: {run.stderr.strip()}"


def find_binary():
    named = os.environ.get("SLUICE_BINARY")
    if named:
        return named
    beside = pathlib.Path.cwd().parent / "sluice"
    return str(beside) if os.access(beside, os.X_OK) and beside.is_file() else None


def main(source_dir):
    root = pathlib.Path(source_dir).resolve()
    known = Known(root)
    binary = find_binary()
    if not binary:
        print("YAML blocks not loaded: set SLUICE_BINARY to the program")
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        for path in documents(root):
            lines = path.read_text(encoding="utf-8").splitlines()
            findings = [*check_names(lines, known)]
            if binary:
                findings += check_yaml(lines, binary, pathlib.Path(folder))
            for number, message in findings:
                print(f"{path.relative_to(root)}:{number}: {message}")
            count += len(findings)
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "."))
