# SPDX-License-Identifier: Apache-2.0
"""The pages about logs and traces say what the program does: variables of the access log, lines
of the execution log, attributes of spans, variables of the environment.

python3 docs_telemetry.py SOURCE_DIR; exit 1 with messages on a finding.
Compared in both directions with the string literals of the sources.
"""
import pathlib
import re
import sys

REFERENCE = pathlib.Path("docs/reference")


def code_spans(text):
    return re.findall(r"`([^`\n]+)`", text)


def access_log(root):
    """Each row of the table of variables is in the page, and each name in the page is a row."""
    source = (root / "src/telemetry/access_log_variables.cpp").read_text(encoding="utf-8")
    known = set(re.findall(r'^\s*\{"([\w.]+)"', source, re.M))
    families = set(re.findall(r'"(\w+\.)"', source))
    page = (root / REFERENCE / "access-log.md").read_text(encoding="utf-8")
    section = page.partition("## Variables")[2].partition("\n## ")[0]
    names = {s for s in code_spans(section) if re.fullmatch(r"(?!sluice_)[a-z][\w.]*\*?", s)}
    for name in sorted(known - names):
        yield f"access-log.md: $context.{name} is missing"
    for name in sorted(names - known - {f + "*" for f in families}):
        yield f"access-log.md: there is no $context.{name}"
    for family in sorted(families):
        if family + "*" not in names:
            yield f"access-log.md: $context.{family}* is missing"


def execution_log(root):
    """What each line begins with is in the table, and each row is a line of the program."""
    source = (root / "src/gateway/execution_writer.cpp").read_text(encoding="utf-8")
    joined = re.sub(r'"\s*\n\s*"', "", source)
    begins = re.findall(r'out_\.(?:line|map)\(\s*"((?:[^"\\]|\\.)*)"', joined)
    middles = re.findall(r'out_\.line\(caller\(\), "((?:[^"\\]|\\.)*)"', joined)
    page = (root / REFERENCE / "execution-log.md").read_text(encoding="utf-8")
    table = page.partition("| Text | When |")[2].partition("\n\n")[0]
    rows = [row.split(" | ")[0] for row in table.splitlines() if row.startswith("| `")]
    shown = [span for row in rows for span in code_spans(row)]
    for text in begins:
        if not any(span.startswith(text.rstrip()) for span in shown):
            yield f"execution-log.md: the line \"{text}\" is missing"
    for text in middles:
        if not any(text.strip() in span for span in shown):
            yield f"execution-log.md: the line \"...{text}\" is missing"
    for span in shown:
        ours = any(span.startswith(text.rstrip()) for text in begins)
        if not ours and not any(text.strip() in span for text in middles):
            yield f"execution-log.md: no line begins like \"{span}\""
    for fault in re.findall(r'case KeyFault::\w+:\s*return "([^"]+)"', joined):
        if f"`{fault}`" not in table:
            yield f"execution-log.md: the reason \"{fault}\" is missing"


def traces(root):
    page = (root / REFERENCE / "traces.md").read_text(encoding="utf-8")
    spans = set(code_spans(page))
    trace = (root / "src/gateway/request_trace.cpp").read_text(encoding="utf-8")
    encode = (root / "src/telemetry/otlp_encode.cpp").read_text(encoding="utf-8")
    used = set(re.findall(r'\badd\("([\w.]+)"', trace))
    used |= set(re.findall(r'(?:put\([^"\n;]*|set_key\()"([\w.]+)"', encode))
    for name in sorted(used - spans):
        yield f"traces.md: the attribute {name} is missing"
    table = page.partition("| Attribute | Span | Value |")[2].partition("\n\n")[0]
    rows = [row.split(" | ")[0] for row in table.splitlines() if row.startswith("| `")]
    for name in sorted({s for row in rows for s in code_spans(row)} - used):
        yield f"traces.md: there is no attribute {name}"
    samplers = (root / "src/config/names.hpp").read_text(encoding="utf-8")
    known = set(re.findall(r'\{"(\w+)", TraceSampler::', samplers))
    for name in sorted(known - spans):
        yield f"traces.md: the sampler {name} is missing"
    environment = (root / "src/config/otel_environment.cpp").read_text(encoding="utf-8")
    variables = {name for name in re.findall(r'"(OTEL_\w+[A-Z])"', environment)
                 if not name.startswith("OTEL_EXPORTER_OTLP") and name + "_" not in environment}
    variables -= {"OTEL_METRIC", "OTEL_LOG"}
    for name in sorted(variables - spans):
        yield f"traces.md: the variable {name} is missing"
    for name in sorted(set(re.findall(r'signal\("([A-Z]+)"', environment)) - spans):
        yield f"traces.md: OTEL_EXPORTER_OTLP_{name} is missing"


def main(source_dir):
    root = pathlib.Path(source_dir).resolve()
    findings = [f"docs/reference/{text}" for check in (access_log, execution_log, traces)
                for text in check(root)]
    print("\n".join(findings), end="\n" if findings else "")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "."))
