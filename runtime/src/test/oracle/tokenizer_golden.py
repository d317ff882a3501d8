"""Makes text/tokens.txt.gz: 10 000 strings, each as JSON, a tab, and the CRC-32 of open_clip's token ids (16-bit, big-endian).

    python tokenizer_golden.py PATH/open_clip/tokenizer.py OUT/tokens.txt.gz
"""
import gzip
import importlib.util
import json
import random
import struct
import sys
import zlib

import ftfy

WORDS = """a photo of cat dog house masterpiece best quality, 1girl portrait (highly detailed) [blurry] 4k 8k hdr trending on artstation
greg rutkowski sunset oil painting, it's don't we're they've I'm you'll he'd CAT'S DON'T O'Neill rock'n'roll ''twas 'stuff naïve café
Straße ΟΔΥΣΣΕΥΣ ΣΊΣΥΦΟΣ İstanbul ĲSSELMEER ﬁne ﬂower Ǆungla ｆｕｌｌ ｗｉｄｔｈ “quoted” ‘single’ „low‟ Tom&nbsp;&amp;&nbsp;Jerry &lt;b&gt; &eacute; &EACUTE;
&copy 2024 &notit; &#233; &#x1F600; &#128; &unknown; &amp;amp; a<b a&b <lora:x:1> BREAK don’t 12345 3.14 1,000,000 １２３ ½ Ⅷ ² ٣٤ 一二三
こんにちは 東京タワー 猫が好き ﾈｺ 你好世界 熊猫，竹子。 한국어 고양이 привет КОШКА Ёлка שלום مرحبا हिन्दी ไทย தமிழ் ქართული ᏣᎳᎩ
👍 👍🏽 👨‍👩‍👧‍👦 🏳️‍🌈 🇯🇵 ❤️ ☺ 🫠 🧑🏿‍🚀 e\u0301 a\u030a o\u0308 n\u0303 \u1e9b\u0323 q\u0307\u0323 \u0344 \u212b \u2126 ſ 'ſ ẞ ŉ Å ª º µ …— – ™ ½
-- !!! ... ?! *** ~~~ ^_^ (╯°□°)╯ ┻━┻ C++ C# .NET snake_case camelCase http://example.org/a?b=c&d=e#f user@example.org <|x|> \\( \\) {a|b} [a:b:0.5]
supercalifragilisticexpialidocious pneumonoultramicroscopicsilicovolcanoconiosis aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa""".split()

SPACES = [" "] * 12 + ["  ", "\t", "\n", "\r\n", "\u00a0", "\u3000", "\u2009", "\u200b", "\u2028", "\x1c", "\x0b", "\x0c", "\ufeff", ""]

RANGES = [(0x20, 0x7e)] * 6 + [
    (0x00, 0x7f), (0xa0, 0xff), (0x100, 0x24f), (0x250, 0x2ff), (0x300, 0x36f), (0x370, 0x3ff), (0x400, 0x52f), (0x590, 0x6ff), (0x900, 0xdff),
    (0xe00, 0xe7f), (0x1100, 0x11ff), (0x13a0, 0x13ff), (0x1e00, 0x1fff), (0x2000, 0x22ff), (0x2300, 0x27bf), (0x2c00, 0x2dff), (0x3000, 0x30ff),
    (0x4e00, 0x9fff), (0x4e00, 0x9fff), (0xa640, 0xa7ff), (0xac00, 0xd7a3), (0xf900, 0xfaff), (0xfb00, 0xfb4f), (0xff00, 0xffef), (0x10400, 0x104ff),
    (0x1d400, 0x1d7ff), (0x1f300, 0x1f64f), (0x1f900, 0x1faff), (0x20000, 0x2a6df), (0x1f1e6, 0x1f1ff), (0xfe00, 0xfe0f)]


def text(r):
    if r.random() < 0.6:
        return "".join(r.choice(WORDS) + r.choice(SPACES) for _ in range(r.randint(0, 9)))
    parts = []
    for _ in range(r.randint(1, 4)):
        first, last = r.choice(RANGES)
        parts.append("".join(chr(r.randint(first, last)) for _ in range(r.randint(1, 6))))
        parts.append(r.choice(SPACES) if r.random() < 0.5 else "")
    return "".join(parts)


def main():
    spec = importlib.util.spec_from_file_location("tokenizer", sys.argv[1])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    tokenizer = module.SimpleTokenizer()
    r = random.Random(4)
    lines = []
    while len(lines) < 10_000:
        t = text(r)
        if ftfy.fix_text(t) != ftfy.fix_text(t, fix_encoding=False):
            continue  # wrongly decoded bytes ("Ã©" for "é") are the one thing that Kiln does not guess at
        ids = tokenizer.encode(t)
        lines.append(f"{json.dumps(t, ensure_ascii=False)}\t{zlib.crc32(struct.pack(f'>{len(ids)}H', *ids)):08x}\n")
    with open(sys.argv[2], "wb") as out:
        out.write(gzip.compress("".join(lines).encode("utf-8"), 9, mtime=0))


if __name__ == "__main__":
    main()
