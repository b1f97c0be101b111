# SPDX-License-Identifier: Apache-2.0
"""Every way in which some backend might read a path, to see which resource it could mean."""
import itertools
import re

PROTECTED = (b"/admin",)
OVERLONG = re.compile(rb"\xc0[\x80-\xbf]|\xc1[\x80-\xbf]|\xe0[\x80-\x9f][\x80-\xbf]"
                      rb"|\xf0[\x80-\x8f][\x80-\xbf][\x80-\xbf]")


def _decode(path):
    return re.sub(rb"%([0-9A-Fa-f]{2})", lambda m: bytes([int(m[1], 16)]), path)


def _overlong(path):
    def short(match):
        value = match[0][0] & (0x1f if match[0][0] < 0xe0 else 0x0f if match[0][0] < 0xf0 else 7)
        for byte in match[0][1:]:
            value = value << 6 | byte & 0x3f
        return chr(value).encode()
    return OVERLONG.sub(short, path)


def _unicode_escapes(path):
    return re.sub(rb"%u00([0-9A-Fa-f]{2})", lambda m: bytes([int(m[1], 16)]), path)


def _backslashes(path):
    return path.replace(b"\\", b"/")


def _parameters(path):
    return re.sub(rb";[^/]*", b"", path)


def _at_nul(path):
    return path.split(b"\0")[0]


def _dots(path):
    out = []
    for segment in path.split(b"/")[1:]:
        if segment == b"..":
            del out[-1:]
        elif segment != b".":
            out.append(segment)
    return b"/" + b"/".join(out)


def _merge(path):
    return re.sub(rb"//+", b"/", path)


READINGS = (_parameters, _unicode_escapes, _decode, _overlong, _backslashes, _at_nul, _merge,
            _dots)


def readings(target):
    """The path under every subset of the readings, in the order backends apply them; parameters
    are cut before decoding, as servlet containers do."""
    path = re.sub(rb"\Ahttps?://[^/]*", b"", target.encode("latin-1")).split(b"?")[0]
    found = set()
    for chosen in itertools.product((False, True), repeat=len(READINGS)):
        read = path
        for wanted, reading in zip(chosen, READINGS):
            read = reading(read) if wanted else read
        found.add(read)
    return found


def is_protected(method, target):
    for path in readings(target):
        if any(path == p or path.startswith(p + b"/") for p in PROTECTED):
            return True
        if path == b"/mixed" and method.upper() == "POST":
            return True
    return False
