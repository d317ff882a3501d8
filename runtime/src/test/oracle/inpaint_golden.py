"""Masks, fills and overlays by Pillow and OpenCV: python inpaint_golden.py FOLDER  (Pillow 12, OpenCV 5)"""
import json
import sys

import cv2
import numpy
from PIL import Image, ImageFilter, ImageOps

random = numpy.random.default_rng(7)


def flat(picture):
    return numpy.asarray(picture).flatten().tolist()


width, height = 23, 17
rgb = random.integers(0, 256, (height, width, 3), dtype=numpy.uint8)
grey = random.integers(0, 256, (height, width), dtype=numpy.uint8)
block = numpy.zeros((height, width), numpy.uint8)
block[4:12, 6:19] = 255
picture, mask = Image.fromarray(rgb), Image.fromarray(block)


def blurred(values, sigma):
    size = 2 * int(2.5 * sigma + 0.5) + 1
    return cv2.GaussianBlur(cv2.GaussianBlur(values, (size, 1), sigma), (1, size), sigma)


def unmasked(mask):
    layer = Image.new("RGBa", picture.size)
    layer.paste(picture.convert("RGBA").convert("RGBa"), mask=ImageOps.invert(mask))
    return layer


def filled(mask):
    result, layer = Image.new("RGBA", picture.size), unmasked(mask)
    for radius, times in ((256, 1), (64, 1), (16, 2), (4, 4), (2, 2), (0, 1)):
        surroundings = layer.filter(ImageFilter.GaussianBlur(radius)).convert("RGBA")
        for _ in range(times):
            result.alpha_composite(surroundings)
    return result.convert("RGB")


soft = Image.fromarray(blurred(block, 2))
drawn = Image.fromarray(random.integers(0, 256, (height, width, 3), dtype=numpy.uint8))
whole = drawn.convert("RGBA")
whole.alpha_composite(unmasked(soft).convert("RGBA"))
part = Image.new("RGBA", picture.size)
part.paste(drawn.resize((15, 11), Image.LANCZOS), (4, 3))
part.alpha_composite(unmasked(soft).convert("RGBA"))
json.dump({
    "width": width, "height": height, "rgb": flat(rgb), "grey": flat(grey), "block": flat(block), "drawn": flat(drawn),
    "luminance": flat(picture.convert("L")),
    "blurs": [{"sigma": sigma, "grey": flat(blurred(grey, sigma)), "block": flat(blurred(block, sigma))} for sigma in (1, 2, 4, 8, 30)],
    "bicubic": [{"width": w, "height": h, "rgb": flat(picture.resize((w, h)))} for w, h in ((3, 2), (40, 31))],
    "filled": flat(filled(mask)), "softlyFilled": flat(filled(soft)),
    "overlaid": flat(whole.convert("RGB")), "pasted": flat(part.convert("RGB")),
}, open(sys.argv[1] + "/inpaint.json", "w"), separators=(",", ":"))
