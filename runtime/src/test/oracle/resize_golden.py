"""Planes and pictures at other sizes, by torch's interpolate and by Pillow: python resize_golden.py FOLDER  (torch 2.13, Pillow 12)"""
import json
import sys

import numpy
import torch
from PIL import Image

random = numpy.random.default_rng(5)
planes = random.standard_normal((2, 5, 7)).astype(numpy.float32)
cases = []
for height, width in ((8, 11), (10, 14), (3, 4)):
    for mode, antialias in (("nearest", False), ("nearest-exact", False), ("bilinear", False), ("bilinear", True), ("bicubic", False),
                            ("bicubic", True)):
        resized = torch.nn.functional.interpolate(torch.from_numpy(planes)[None], (height, width), mode=mode, antialias=antialias)
        cases.append({"mode": mode, "antialias": antialias, "height": height, "width": width,
                      "planes": [round(float(v), 7) for v in resized.flatten()]})
pixels = random.integers(0, 256, (9, 13, 3), dtype=numpy.uint8)
pictures = []
for width, height in ((29, 20), (5, 4), (13, 4), (26, 9)):
    resized = Image.fromarray(pixels).resize((width, height), Image.LANCZOS)
    pictures.append({"width": width, "height": height, "rgb": numpy.asarray(resized).flatten().tolist()})
json.dump({"planes": [round(float(v), 7) for v in planes.flatten()], "cases": cases, "rgb": pixels.flatten().tolist(), "pictures": pictures},
          open(sys.argv[1] + "/resize.json", "w"), separators=(",", ":"))
