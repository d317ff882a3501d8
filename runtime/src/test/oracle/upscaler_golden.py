"""Miniature upscalers with random weights, and what PyTorch makes of random pictures: src/test/resources/upscalers/.

    python3 -m venv venv && venv/bin/pip install torch==2.13.0 numpy safetensors pillow
    venv/bin/python upscaler_golden.py

RRDBNet as Wang et al. 2018 describe it, under its old names and Real-ESRGAN's; SRVGGNetCompact; TAESD's two halves. Pictures are 8-bit, shown to the
networks blue first. Tiles are faded into each other by Pillow's paste with a mask, as A1111 puts them together.
"""
import math
import pathlib

import numpy
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import save_file

TARGET = pathlib.Path(__file__).resolve().parent.parent / "resources" / "upscalers"
FEATURES, GROWTH = 8, 4
generator = torch.Generator().manual_seed(12)


def normal(*shape, scale=1.0):
    return torch.randn(*shape, generator=generator) * scale


def convolution(weights, name, inputs, outputs, kernel=3, gain=1.0, bias=True):
    weights[name + ".weight"] = normal(outputs, inputs, kernel, kernel, scale=gain / math.sqrt(inputs * kernel * kernel))
    if bias:
        weights[name + ".bias"] = normal(outputs, scale=0.1)


def rrdb_weights(channels, blocks):
    weights = {}
    convolution(weights, "conv_first", channels, FEATURES)
    for block in range(blocks):
        for dense in (1, 2, 3):
            for i in range(1, 6):
                outputs = GROWTH if i < 5 else FEATURES
                convolution(weights, f"body.{block}.rdb{dense}.conv{i}", FEATURES + (i - 1) * GROWTH, outputs, gain=1.5)
    for name in ("conv_body", "conv_up1", "conv_up2", "conv_hr"):
        convolution(weights, name, FEATURES, FEATURES, gain=1.4)
    convolution(weights, "conv_last", FEATURES, 3, gain=0.3)
    weights["conv_last.bias"] += 0.5
    return weights


def conv(weights, name, x, stride=1):
    return F.conv2d(x, weights[name + ".weight"], weights.get(name + ".bias"), stride=stride, padding=1)


def rrdb(weights, x, blocks):
    def leaky(y):
        return F.leaky_relu(y, 0.2)

    first = x = conv(weights, "conv_first", x)
    for block in range(blocks):
        y = x
        for dense in (1, 2, 3):
            parts = [y]
            for i in range(1, 5):
                parts.append(leaky(conv(weights, f"body.{block}.rdb{dense}.conv{i}", torch.cat(parts, 1))))
            y = conv(weights, f"body.{block}.rdb{dense}.conv5", torch.cat(parts, 1)) * 0.2 + y
        x = y * 0.2 + x
    x = first + conv(weights, "conv_body", x)
    for name in ("conv_up1", "conv_up2"):
        x = leaky(conv(weights, name, F.interpolate(x, scale_factor=2, mode="nearest")))
    return conv(weights, "conv_last", leaky(conv(weights, "conv_hr", x)))


def old_names(weights, blocks):
    names = {"conv_first": "model.0", "conv_body": f"model.1.sub.{blocks}", "conv_up1": "model.3", "conv_up2": "model.6",
             "conv_hr": "model.8", "conv_last": "model.10"}
    renamed = {}
    for name, tensor in weights.items():
        module, kind = name.rsplit(".", 1)
        if module.startswith("body."):
            _, block, dense, layer = module.split(".")
            module = f"model.1.sub.{block}.{dense.upper()}.{layer}.0"
        else:
            module = names[module]
        renamed[module + "." + kind] = tensor
    return renamed


def first_names(weights):
    names = {"conv_body": "trunk_conv", "conv_up1": "upconv1", "conv_up2": "upconv2", "conv_hr": "HRconv"}
    renamed = {}
    for name, tensor in weights.items():
        module, kind = name.rsplit(".", 1)
        if module.startswith("body."):
            _, block, dense, layer = module.split(".")
            module = f"RRDB_trunk.{block}.{dense.upper()}.{layer}"
        renamed[names.get(module, module) + "." + kind] = tensor
    return renamed


def compact_weights(layers, scale):
    weights = {}
    for i in range(layers):
        convolution(weights, f"body.{2 * i}", 3 if i == 0 else FEATURES, FEATURES, gain=1.2)
        weights[f"body.{2 * i + 1}.weight"] = normal(FEATURES, scale=0.3)
    convolution(weights, f"body.{2 * layers}", FEATURES, 3 * scale * scale, gain=0.3)
    return weights


def compact(weights, x, layers, scale):
    y = x
    for i in range(layers):
        y = F.prelu(conv(weights, f"body.{2 * i}", y), weights[f"body.{2 * i + 1}.weight"])
    return F.pixel_shuffle(conv(weights, f"body.{2 * layers}", y), scale) + F.interpolate(x, scale_factor=scale, mode="nearest")


def picture(height, width):
    return torch.randint(0, 256, (height, width, 3), generator=generator, dtype=torch.uint8)


def shown(rgb):
    return rgb.flip(2).permute(2, 0, 1)[None].float() / 255


def eight_bit(bgr):
    return (bgr[0].clamp(0, 1) * 255).round().to(torch.uint8).flip(0).permute(1, 2, 0).contiguous()


def add(golden, name, rgb, bgr):
    golden[name + ".in"], golden[name + ".values"] = rgb, bgr[0].flip(0).permute(1, 2, 0).contiguous()
    golden[name + ".out"] = eight_bit(bgr)


def tiled(rgb, side, overlap, scale):
    """Each tile doubled to nearest neighbours and made 40 brighter than the one before."""
    image = Image.fromarray(rgb.numpy())

    def edges(length):
        count = math.ceil((length - overlap) / (side - overlap))
        step = (length - side) / (count - 1) if count > 1 else 0
        return [length - side if int(i * step) + side >= length else int(i * step) for i in range(count)]

    ramp = numpy.arange(scale * overlap, dtype=numpy.float32) * 255 / (scale * overlap)
    across = Image.fromarray(numpy.tile(ramp.astype(numpy.uint8), (scale * side, 1)))
    down = Image.fromarray(numpy.tile(ramp.astype(numpy.uint8)[:, None], (1, scale * image.width)))
    whole = Image.new("RGB", (scale * image.width, scale * image.height))
    brighter = 0
    for y in edges(image.height):
        row = Image.new("RGB", (scale * image.width, scale * side))
        for x in edges(image.width):
            tile = image.crop((x, y, x + side, y + side)).resize((scale * side, scale * side), Image.NEAREST)
            tile = tile.point(lambda value: min(255, value + brighter))
            brighter += 40
            if x == 0:
                row.paste(tile, (0, 0))
                continue
            row.paste(tile.crop((0, 0, scale * overlap, scale * side)), (scale * x, 0), mask=across)
            row.paste(tile.crop((scale * overlap, 0, scale * side, scale * side)), (scale * (x + overlap), 0))
        if y == 0:
            whole.paste(row, (0, 0))
            continue
        whole.paste(row.crop((0, 0, row.width, scale * overlap)), (0, scale * y), mask=down)
        whole.paste(row.crop((0, scale * overlap, row.width, row.height)), (0, scale * (y + overlap)))
    return torch.from_numpy(numpy.array(whole))


def main():
    TARGET.mkdir(parents=True, exist_ok=True)
    golden = {}

    weights = rrdb_weights(3, 1)
    rgb = picture(9, 13)
    add(golden, "x4", rgb, rrdb(weights, shown(rgb), 1))
    torch.save(old_names(weights, 1), TARGET / "old.pth")
    save_file(first_names(weights), str(TARGET / "first.safetensors"))
    torch.save({"params_ema": weights, "params": {"conv_first.weight": torch.zeros(1)}}, TARGET / "x4.pth")

    weights = rrdb_weights(12, 2)
    rgb = picture(10, 14)
    add(golden, "x2", rgb, rrdb(weights, F.pixel_unshuffle(shown(rgb), 2), 2))
    save_file({"params_ema." + name: tensor for name, tensor in weights.items()}, str(TARGET / "x2.safetensors"))

    weights = compact_weights(3, 4)
    rgb = picture(11, 7)
    add(golden, "compact", rgb, compact(weights, shown(rgb), 3, 4))
    torch.save({"params": weights}, TARGET / "compact.pth")

    for name, rgb in (("tiles", picture(41, 50)), ("small", picture(9, 40))):
        golden[name + ".in"], golden[name + ".out"] = rgb, tiled(rgb, 20, 5, 2)

    save_file(golden, str(TARGET / "golden.safetensors"))


if __name__ == "__main__":
    with torch.inference_mode():
        main()
