"""Golden tensors of whole networks for NetworkGolden (needs torch and safetensors).

  python network_golden.py        writes ../resources/networks/{demo,odd,inpaint,tiled}.safetensors

"demo" is the bundled model; "tiled" is the same with circular padding, as A1111's "Tiling" sets it. The other two have weights that are a function of the tensor's name and the element's index, in exactly
rounded arithmetic, so that the test can make them itself (HashedWeights); their shapes stand in the metadata.
"""
import json
import pathlib
import zlib

import numpy
import torch
from safetensors.torch import save_file

import make_checkpoint
import sdref
from golden import golden

HERE = pathlib.Path(__file__).parent
TARGET = HERE.parent / "resources" / "networks"


def hashed(name, shape):
    """Uniform values: matrices with variance 0.6 / inputs, scales around 1, biases around 0."""
    count = int(numpy.prod(shape))
    with numpy.errstate(over="ignore"):
        x = numpy.uint32(zlib.crc32(name.encode())) ^ (numpy.arange(count, dtype=numpy.uint32) * numpy.uint32(0x9E3779B1))
        x = (x ^ (x >> numpy.uint32(16))) * numpy.uint32(0x85EBCA6B)
        x = (x ^ (x >> numpy.uint32(13))) * numpy.uint32(0xC2B2AE35)
        x = x ^ (x >> numpy.uint32(16))
    unit = (x >> numpy.uint32(8)).astype(numpy.float64) / 2 ** 23 - 1
    if len(shape) > 1:
        values = unit * numpy.sqrt(1.8 / (count // shape[0]))
    else:
        values = unit * 0.0625 + (0 if name.endswith("bias") else 1)
    return torch.from_numpy(values.astype(numpy.float32).reshape(shape))


def hashed_model(size):
    state = make_checkpoint.build(size).checkpoint()
    return sdref.infer({name: hashed(name, tuple(value.shape)) for name, value in state.items()}), state


def write(name, model, height, width, state=None):
    tensors = golden(model, height, width, every=False)
    metadata = {} if state is None else {"shapes": json.dumps({k: list(v.shape) for k, v in state.items()}, separators=(",", ":"))}
    save_file(tensors, str(TARGET / f"{name}.safetensors"), metadata=metadata)


if __name__ == "__main__":
    TARGET.mkdir(parents=True, exist_ok=True)
    write("demo", sdref.load(str(HERE.parents[2] / "demo" / "kiln-demo.safetensors")), 64, 96)
    tiled = sdref.load(str(HERE.parents[2] / "demo" / "kiln-demo.safetensors"))
    for layer in tiled.modules():
        if isinstance(layer, torch.nn.Conv2d):
            layer.padding_mode = "circular"
    write("tiled", tiled, 40, 56)
    # Sides that are multiples of 8 but not of 64.
    model, state = hashed_model("odd")
    write("odd", model, 72, 104, state)
    model, state = hashed_model("tiny-inpaint")
    write("inpaint", model, 88, 72, state)
