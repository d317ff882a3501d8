"""Small pictures of every kind that Kiln reads, with the pixels that Pillow sees in them: pictures.json, for PictureReaderTest.

Usage: python pictures.py ../resources/kiln/runtime/image/pictures.json      (Pillow 12.3, numpy)
"""

import base64
import io
import json
import struct
import sys
import zlib

import numpy as np
from PIL import Image, ImageOps

WIDTH, HEIGHT = 21, 14
rng = np.random.default_rng(7)
y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
smooth = np.stack([x * 12, y * 18, 255 - (x + y) * 7], -1).clip(0, 255).astype(np.uint8)
alpha = ((x * 13 + y * 5) % 256).astype(np.uint8)
rgb = Image.fromarray(smooth)
rgba = Image.fromarray(np.dstack([smooth, alpha]))
text = "a cat, 猫\nNegative prompt: blurry\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 21x14"
cases = []


def saved(picture, **options):
    out = io.BytesIO()
    picture.save(out, **options)
    return out.getvalue()


def add(name, data, **more):
    seen = Image.open(io.BytesIO(data))
    seen = ImageOps.exif_transpose(seen)
    sixteen = seen.mode.startswith("I")
    pixels = np.array(seen) >> 8 if sixteen else None
    seen = Image.fromarray(pixels.astype(np.uint8)).convert("RGBA") if sixteen else seen.convert("RGBA")
    cases.append({
        "name": name,
        "file": base64.b64encode(data).decode(),
        "width": seen.width,
        "height": seen.height,
        "rgba": base64.b64encode(zlib.compress(seen.tobytes(), 9)).decode(),
        **more,
    })


def png(width, height, depth, colour, rows, interlace=0, before=b""):
    """rows: bytes behind their filter numbers."""
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def adam7(array):
    rows = b""
    for x0, y0, dx, dy in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)):
        part = array[y0::dy, x0::dx]
        if part.size:
            rows += b"".join(b"\0" + row.tobytes() for row in part)
    return rows


def plain(array):
    return b"".join(b"\0" + row.tobytes() for row in array)


def exif(comment=None, orientation=None):
    tags = Image.Exif()
    if orientation:
        tags[0x0112] = orientation
    if comment:
        tags[0x8769] = {0x9286: b"UNICODE\0" + comment.encode("utf-16-be")}
    return tags.tobytes()


sixteen = (np.dstack([x * 3001, y * 4001, (x + y) * 1777]) % 65536).astype(">u2")
add("png rgb", saved(rgb, format="png"))
add("png rgba", saved(rgba, format="png"))
add("png grey", saved(rgb.convert("L"), format="png"))
add("png grey alpha", saved(rgba.convert("LA"), format="png"))
add("png palette", saved(rgb.quantize(16), format="png"))
add("png palette of two", saved(rgb.quantize(2), format="png", bits=1))
add("png palette of four", saved(rgb.quantize(4), format="png", bits=2))
add("png palette with a transparent colour", saved(rgb.quantize(8), format="png", transparency=3))
add("png one bit", saved(rgb.convert("1"), format="png"))
add("png grey of two bits", png(8, 2, 2, 0, b"\0\x1b\xe4\0\xff\x00"))
add("png grey of four bits", png(5, 2, 4, 0, b"\0\x01\x23\xf0\0\xfe\xdc\x80"))
add("png rgb with a transparent colour", saved(rgb, format="png", transparency=tuple(int(v) for v in smooth[3, 5])))
add("png 16 bit grey", saved(Image.fromarray(sixteen[..., 0].astype(np.uint16)), format="png"))
add("png 16 bit rgb", png(WIDTH, HEIGHT, 16, 2, plain(sixteen)))
add("png 16 bit rgba", png(WIDTH, HEIGHT, 16, 6, plain(np.dstack([sixteen, sixteen[..., :1]]))))
add("png interlaced", png(WIDTH, HEIGHT, 8, 2, adam7(smooth), interlace=1))
add("png interlaced rgba", png(WIDTH, HEIGHT, 8, 6, adam7(np.dstack([smooth, alpha])), interlace=1))
add("png interlaced narrow", png(1, 3, 8, 2, adam7(smooth[:3, :1]), interlace=1))
add("png animated", saved(rgb, format="png", save_all=True, append_images=[ImageOps.invert(rgb)]))
add("png exif", saved(rgb, format="png", exif=exif(comment=text)), text=text)

add("jpeg", saved(rgb, format="jpeg", quality=90))
add("jpeg progressive", saved(rgb, format="jpeg", quality=90, progressive=True))
add("jpeg full colour", saved(rgb, format="jpeg", quality=90, subsampling=0))
add("jpeg grey", saved(rgb.convert("L"), format="jpeg"))
add("jpeg cmyk", saved(rgb.convert("CMYK"), format="jpeg", quality=95))
add("jpeg comment", saved(rgb, format="jpeg", comment=b"drawn"), text="drawn")
for orientation in range(1, 9):
    add(f"jpeg turned {orientation}", saved(rgb, format="jpeg", quality=95, exif=exif(comment=text, orientation=orientation)), text=text)

add("webp", saved(rgb, format="webp", quality=80))
add("webp lossless", saved(rgb, format="webp", lossless=True))
add("webp alpha", saved(rgba, format="webp", quality=80))
add("webp lossless alpha", saved(rgba, format="webp", lossless=True, exact=True))
add("webp exif", saved(rgb, format="webp", quality=80, exif=exif(comment=text)), text=text)
add("webp animated", saved(rgb, format="webp", lossless=True, save_all=True, append_images=[ImageOps.invert(rgb)], duration=50))
add("webp animated alpha", saved(rgba, format="webp", lossless=True, exact=True, save_all=True, append_images=[ImageOps.mirror(rgba)], duration=50))
add("webp animated lossy alpha", saved(rgba, format="webp", quality=80, save_all=True, append_images=[ImageOps.mirror(rgba)], duration=50))

add("gif", saved(rgb.quantize(32), format="gif", comment=b"a cat"), text="a cat")
add("gif interlaced", saved(rgb.quantize(32), format="gif", interlace=1))
add("gif animated", saved(rgb.quantize(32), format="gif", save_all=True, append_images=[ImageOps.invert(rgb).quantize(32)]))
add("gif transparent", saved(rgb.quantize(8), format="gif", transparency=2))
add("bmp", saved(rgb, format="bmp"))
add("bmp grey", saved(rgb.convert("L"), format="bmp"))
add("bmp palette", saved(rgb.quantize(16), format="bmp"))
add("bmp one bit", saved(rgb.convert("1"), format="bmp"))
for kind in ("png", "jpeg", "webp", "gif", "bmp"):
    add(f"{kind} of one pixel", saved(rgb.crop((3, 2, 4, 3)), format=kind))
    add(f"{kind} of one row", saved(rgb.crop((0, 0, WIDTH, 1)), format=kind))
    add(f"{kind} of one column", saved(rgb.crop((0, 0, 1, HEIGHT)), format=kind))

with open(sys.argv[1], "w", encoding="utf-8") as out:
    out.write("[\n" + ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases) + "\n]\n")
