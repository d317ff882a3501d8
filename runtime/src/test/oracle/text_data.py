"""Makes the data that kiln.runtime.text reads, from the published vocabulary and from Python's own tables.

    python text_data.py VOCABULARY.txt.gz OUT_FOLDER

clip-merges.bin  the 48 894 merges of bpe_simple_vocab_16e6 as pairs of token ids (unsigned 16-bit, big-endian); merge n makes
                 token 512 + n. Ids 0-255 are the byte symbols in CLIP's order, 256-511 the same at the end of a word.
characters.bin   runs (start: 3 bytes, class: 1 byte) over all code points, then the lower-case pairs. See Characters.java.
entities.txt     HTML5's named characters ("name hex hex"), as Python's html.unescape knows them.
mojibake.txt     what ftfy goes by to tell wrongly decoded text and to decode it anew: "pattern NAME REGEX" in Java's syntax, and
                 "encoding NAME" with the characters of the bytes 0x80-0xff and 0x1a. See Mojibake.java.
"""
import gzip
import html
import html.entities
import struct
import sys
import unicodedata
from pathlib import Path

import ftfy.badness
import ftfy.chardata
import ftfy.fixes
import regex


def byte_symbols():
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [b for b in range(256) if b not in set(printable)]
    return [chr(b) for b in printable] + [chr(256 + n) for n in range(len(rest))]


def merges(vocabulary):
    lines = gzip.open(vocabulary, "rt", encoding="utf-8").read().split("\n")[1:48895]
    symbols = byte_symbols()
    ids = {s: i for i, s in enumerate(symbols + [s + "</w>" for s in symbols])}
    out = bytearray()
    for n, line in enumerate(lines):
        left, right = line.split()
        assert left + right not in ids, "each token has one merge: the fast encoder relies on it"
        ids[left + right] = 512 + n
        out += struct.pack(">HH", ids[left], ids[right])
    assert len(ids) == 49406
    return bytes(out)


LETTER, NUMBER, SPACE = 1, 2, 3
CASED, CASE_IGNORABLE, HAS_LOWER, PYTHON_SPACE = 4, 8, 16, 32


def character_class(c):
    if 0xD800 <= ord(c) <= 0xDFFF:
        return 0
    kind = 0
    # As the tokenizer's own pattern asks: ignoring case, U+0345 is neither a letter nor anything else, and so is dropped like a space.
    for value, pattern in ((LETTER, r"[\p{L}]+"), (NUMBER, r"[\p{N}]"), (0, r"[^\s\p{L}\p{N}]+")):
        if regex.fullmatch(pattern, c, regex.IGNORECASE):
            kind = value
            break
    else:
        kind = SPACE
    # Python's rule for the final sigma tells how it classes the character that follows.
    if ("A\u03a3" + c).lower()[1] == "\u03c3":
        kind |= CASED
    elif ("A\u03a3" + c + "A").lower()[1] == "\u03c3":
        kind |= CASE_IGNORABLE
    if c.lower() != c:
        kind |= HAS_LOWER
    if c.isspace():
        kind |= PYTHON_SPACE
    return kind


def characters():
    runs, last, pairs = [], -1, []
    for code in range(0x110000):
        c = chr(code)
        kind = character_class(c)
        if kind != last:
            runs.append((code, kind))
            last = kind
        if kind & HAS_LOWER and code != 0x130:  # dotted capital I is the one that becomes two
            assert len(c.lower()) == 1
            pairs.append((code, ord(c.lower())))
    out = bytearray(struct.pack(">HH", len(runs), len(pairs)))
    for code, kind in runs:
        out += struct.pack(">I", code << 8 | kind)
    for code, lower in pairs:
        out += struct.pack(">II", code, lower)
    return bytes(out)


def entities():
    """A "^" marks the all-capitals names that ftfy adds to HTML's own."""
    table = dict(html.entities.html5)
    for name, value in html.entities.html5.items():
        if name.endswith(";") and name == name.lower() and html.unescape("&" + name.upper()) == "&" + name.upper():
            table["^" + name.upper()] = value.upper()
    return "".join(f"{name} {' '.join(f'{ord(c):x}' for c in value)}\n" for name, value in sorted(table.items()))


OUTSIDE = {"\\s": r"[\p{Z}\t-\r\x1c-\x1f\x85]", "\\w": r"[\p{L}\p{N}_]"}


def escaped(code):
    return f"\\u{code:04x}"


def character_set(text, at):
    """A bracketed set as sorted ranges, and where it ends: Java reads "[" and "&&" inside sets in a way of its own."""
    negated = text[at] == "^"
    at += negated
    codes, previous, ranged = set(), None, False
    while text[at] != "]":
        if text[at] == "-" and previous is not None and text[at + 1] != "]":
            ranged, at = True, at + 1
            continue
        if text.startswith("\\x", at):
            code, at = int(text[at + 2:at + 4], 16), at + 4
        else:
            assert text[at] != "\\"
            code, at = ord(text[at]), at + 1
        codes.update(range(previous, code + 1) if ranged else [code])
        previous, ranged = (None if ranged else code), False
    out = ""
    for code in sorted(codes):
        if code - 1 not in codes:
            out += escaped(code)
        if code + 1 not in codes and code - 1 in codes:
            out += "-" + escaped(code)
    return f"[{'^' if negated else ''}{out}]", at + 1


def java_pattern(pattern):
    """A Python pattern, verbose or not, in Java's syntax without blanks and comments."""
    text = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    verbose = bool(pattern.flags & 64)
    out, at = "", 0
    while at < len(text):
        c = text[at]
        if c == "[":
            found, at = character_set(text, at + 1)
            out += found
        elif verbose and c.isspace():
            at += 1
        elif verbose and c == "#":
            at = text.index("\n", at)
        elif c == "\\":
            code = text[at:at + 2]
            if code == "\\x":
                out, at = out + escaped(int(text[at + 2:at + 4], 16)), at + 4
            else:
                out, at = out + OUTSIDE[code], at + 2
        elif ord(c) > 127 or c in "\x1a ":
            out, at = out + escaped(ord(c)), at + 1
        else:
            out, at = out + c, at + 1
    return out


def mojibake():
    # Possessive, or Java would recurse once for each character of a long run.
    sequence = java_pattern(ftfy.chardata.UTF8_DETECTOR_RE)
    assert sequence.endswith(")+")
    lines = [
        "pattern bad " + java_pattern(ftfy.badness.BADNESS_RE),
        "pattern sequence " + sequence + "+",
        "pattern altered " + java_pattern(ftfy.chardata.ALTERED_UTF8_RE),
        "pattern grave " + java_pattern(ftfy.fixes.A_GRAVE_WORD_RE),
        "pattern lossy " + java_pattern(ftfy.chardata.LOSSY_UTF8_RE),
    ]
    for name in ftfy.chardata.CHARMAP_ENCODINGS:
        characters = bytes([*range(0x80, 0x100), 0x1A]).decode(name)
        lines.append(f"encoding {name} " + " ".join(f"{ord(c):x}" for c in characters))
    return "".join(line + "\n" for line in lines)


def main():
    vocabulary, out = sys.argv[1], Path(sys.argv[2])
    (out / "clip-merges.bin").write_bytes(merges(vocabulary))
    (out / "characters.bin.gz").write_bytes(gzip.compress(characters(), 9, mtime=0))
    (out / "entities.txt.gz").write_bytes(gzip.compress(entities().encode("utf-8"), 9, mtime=0))
    (out / "mojibake.txt.gz").write_bytes(gzip.compress(mojibake().encode("ascii"), 9, mtime=0))
    print("Unicode", unicodedata.unidata_version, "regex", regex.__version__, "ftfy", ftfy.__version__)


if __name__ == "__main__":
    main()
