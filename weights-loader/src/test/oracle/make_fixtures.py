"""Writes the small weights files that the tests read, and expected.json: what PyTorch says is in them.

    python make_fixtures.py ../resources/weights

Needs torch and safetensors. The build and the tests do not run it.
"""

import hashlib
import json
import struct
import sys
import types
import zipfile
from collections import OrderedDict
from pathlib import Path

import torch
from safetensors.torch import save_file

OUT = Path(sys.argv[1])
NAMES = {
    torch.bool: "BOOL", torch.uint8: "U8", torch.int8: "I8", torch.int16: "I16", torch.uint16: "U16",
    torch.int32: "I32", torch.uint32: "U32", torch.int64: "I64", torch.uint64: "U64", torch.float16: "F16",
    torch.bfloat16: "BF16", torch.float32: "F32", torch.float64: "F64", torch.complex64: "C64",
    torch.float8_e4m3fn: "F8_E4M3", torch.float8_e5m2: "F8_E5M2", torch.float8_e4m3fnuz: "F8_E4M3FNUZ",
    torch.float8_e5m2fnuz: "F8_E5M2FNUZ", torch.float8_e8m0fnu: "F8_E8M0",
}
expected = {}


def elements(tensor):
    """The tensor's bytes in row-major order."""
    tensor = tensor.detach().contiguous()
    if tensor.numel() == 0:
        return b""
    return bytes(tensor.reshape(-1).view(torch.uint8).tolist())


def expect(file, format, tensors, metadata=None):
    expected[file] = {
        "format": format,
        "metadata": metadata or {},
        "tensors": [
            {"name": name, "dtype": NAMES[t.dtype], "shape": list(t.shape), "sha256": hashlib.sha256(elements(t)).hexdigest()}
            for name, t in tensors.items()
        ],
    }


def byte_patterns(dtype):
    """All 256 values of a one-byte format; of wider ones, patterns that reach every special value."""
    if dtype.itemsize == 1:
        return torch.arange(256, dtype=torch.uint8).view(dtype)
    generator = torch.Generator().manual_seed(dtype.itemsize)
    raw = torch.randint(0, 256, (64 * dtype.itemsize,), dtype=torch.uint8, generator=generator)
    return raw.view(dtype)


def all_dtypes():
    tensors, floats = {}, {}
    for dtype in NAMES:
        values = torch.tensor([0, 1, 1, 0], dtype=torch.bool) if dtype == torch.bool else byte_patterns(dtype)
        tensors[NAMES[dtype]] = values
        if dtype != torch.complex64:
            floats[NAMES[dtype]] = values.to(torch.float32)
    tensors["scalar"] = torch.tensor(2.5)
    tensors["empty"] = torch.zeros(3, 0, 2)
    tensors["snöwman ☃"] = torch.arange(6.0).reshape(1, 2, 3)
    metadata = {"format": "pt", "title": "a \"quoted\" title\nof two lines ☃"}
    save_file(tensors, OUT / "dtypes.safetensors", metadata)
    expect("dtypes.safetensors", "safetensors", tensors, metadata)
    save_file(floats, OUT / "dtypes-as-f32.safetensors")
    expect("dtypes-as-f32.safetensors", "safetensors", floats)


def views():
    base = torch.arange(60, dtype=torch.float32) / 7
    matrix = base[:24].reshape(4, 6)
    return OrderedDict(
        whole=base,
        transposed=matrix.t(),
        slice=base[10:20],
        step=base[1:40:3],
        column=matrix[:, 2],
        permuted=base.reshape(3, 4, 5).permute(2, 0, 1),
        expanded=base[:5].reshape(5, 1).expand(5, 3),
        half=base.half(),
        half_transposed=base.half().reshape(6, 10).t(),
        bfloat16=base.bfloat16().reshape(2, 30),
        parameter=torch.nn.Parameter(matrix * 2),
        scalar=torch.tensor(3.25),
        empty=torch.zeros(0, 4),
        ids=torch.arange(77).expand((1, -1)),
        flags=torch.tensor([True, False, True]),
        bytes=torch.arange(5, dtype=torch.uint8)[::2],
        double=base[:4].double(),
        complex=torch.view_as_complex(base[:12].clone().reshape(3, 2, 2)).t(),
        short=torch.arange(-3, 3, dtype=torch.int16),
    )


def torch_files():
    tensors = views()
    metadata = {"epoch": "3", "global_step": "470000", "lr": "1.0E-4", "ema": "true"}
    checkpoint = {"epoch": 3, "global_step": 470000, "lr": 1e-4, "ema": True, "state_dict": tensors}
    torch.save(checkpoint, OUT / "views.pt")
    expect("views.pt", "torch-zip", tensors, metadata)
    torch.save(checkpoint, OUT / "views-protocol4.pt", pickle_protocol=4)
    expect("views-protocol4.pt", "torch-zip", tensors, metadata)
    torch.save(checkpoint, OUT / "views-legacy.pt", _use_new_zipfile_serialization=False)
    expect("views-legacy.pt", "torch-pickle", tensors, metadata)

    with zipfile.ZipFile(OUT / "views.pt") as source, \
            zipfile.ZipFile(OUT / "views-deflated.pt", "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(zipfile.ZipInfo(name.replace("views/", "archive/", 1)), source.read(name), zipfile.ZIP_DEFLATED)
    expect("views-deflated.pt", "torch-zip", tensors, metadata)

    widths = {bytes(t.untyped_storage().tolist()): 4 if t.dtype == torch.complex64 else t.dtype.itemsize
               for t in tensors.values()}
    with zipfile.ZipFile(OUT / "views.pt") as source, zipfile.ZipFile(OUT / "views-big-endian.pt", "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if "/data/" in name:
                width = widths[data]
                data = b"".join(data[i:i + width][::-1] for i in range(0, len(data), width))
            elif name.endswith("/byteorder"):
                data = b"big"
            target.writestr(zipfile.ZipInfo(name), data)
    expect("views-big-endian.pt", "torch-zip", tensors, metadata)

    eights = {name: byte_patterns(dtype).reshape(16, 16).t()
              for name, dtype in [("e4m3", torch.float8_e4m3fn), ("e5m2", torch.float8_e5m2)]}
    eights["u16"] = torch.arange(65530, 65536).to(torch.uint16)
    torch.save(eights, OUT / "float8.pt")
    expect("float8.pt", "torch-zip", eights)


def checkpoint_with_callbacks():
    """Like a Stable Diffusion 1.x training checkpoint, whose pickle names classes of pytorch_lightning."""
    module = types.ModuleType("pytorch_lightning.callbacks.model_checkpoint")

    class ModelCheckpoint:
        pass

    ModelCheckpoint.__module__ = module.__name__
    ModelCheckpoint.__qualname__ = "ModelCheckpoint"
    module.ModelCheckpoint = ModelCheckpoint
    for name in ("pytorch_lightning", "pytorch_lightning.callbacks"):
        sys.modules[name] = types.ModuleType(name)
    sys.modules[module.__name__] = module

    callback = ModelCheckpoint()
    callback.__dict__.update(monitor="val/loss", best_k_models={"a": torch.tensor(0.5)}, period=1)
    state = OrderedDict([
        ("model.diffusion_model.input_blocks.0.0.weight", torch.randn(8, 4, 3, 3, generator=torch.Generator().manual_seed(1))),
        ("model.diffusion_model.input_blocks.0.0.bias", torch.zeros(8)),
        ("cond_stage_model.transformer.text_model.embeddings.position_ids", torch.arange(77).expand((1, -1))),
        ("first_stage_model.decoder.conv_out.weight", torch.ones(3, 8, 3, 3).half()),
    ])
    state._metadata = OrderedDict([("", {"version": 1})])
    checkpoint = {
        "epoch": 1, "global_step": 840000, "pytorch-lightning_version": "1.4.2",
        "state_dict": state,
        "callbacks": {ModelCheckpoint: {"monitor": "val/loss", "best_model_score": torch.tensor(0.25)}, "it": callback},
        "optimizer_states": [{"state": {0: {"exp_avg": torch.ones(8, dtype=torch.float64)}}, "param_groups": [{"lr": 1e-4}]}],
        "lr_schedulers": [],
    }
    metadata = {"epoch": "1", "global_step": "840000", "pytorch-lightning_version": "1.4.2"}
    torch.save(checkpoint, OUT / "lightning.ckpt")
    expect("lightning.ckpt", "torch-zip", state, metadata)
    torch.save(checkpoint, OUT / "lightning-legacy.ckpt", _use_new_zipfile_serialization=False)
    expect("lightning-legacy.ckpt", "torch-pickle", state, metadata)


def small_networks():
    vectors = torch.arange(2 * 768, dtype=torch.float32).reshape(2, 768).bfloat16()[:, :16]
    embedding = {
        "string_to_token": {"*": torch.tensor(265)},
        "string_to_param": torch.nn.ParameterDict({"*": torch.nn.Parameter(vectors.float())}),
        "name": "style", "step": 1500, "sd_checkpoint": None, "sd_checkpoint_name": "model",
    }
    torch.save(embedding, OUT / "embedding.pt")
    expect("embedding.pt", "torch-zip", {"string_to_token.*": torch.tensor(265), "string_to_param.*": vectors.float()},
           {"name": "style", "step": "1500", "sd_checkpoint_name": "model"})
    plain = dict(embedding, string_to_param={"*": vectors.float()})
    torch.save(plain, OUT / "embedding-legacy.pt", _use_new_zipfile_serialization=False)
    expect("embedding-legacy.pt", "torch-pickle", {"string_to_token.*": torch.tensor(265), "string_to_param.*": vectors.float()},
           {"name": "style", "step": "1500", "sd_checkpoint_name": "model"})

    torch.save({"<cat>": torch.ones(768)}, OUT / "learned_embeds.bin")
    expect("learned_embeds.bin", "torch-zip", {"<cat>": torch.ones(768)})

    layer = lambda seed: OrderedDict([("linear.0.weight", torch.full((4, 2), float(seed))), ("linear.0.bias", torch.zeros(4))])
    hypernetwork = {320: (layer(1), layer(2)), "step": 7, "layer_structure": [1, 2, 1], "name": "hyper"}
    torch.save(hypernetwork, OUT / "hypernetwork.pt")
    names = {f"320.{i}.{name}": t for i, d in enumerate(hypernetwork[320]) for name, t in d.items()}
    expect("hypernetwork.pt", "torch-zip", names, {"step": "7", "name": "hyper"})

    network = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(0.5)
    torch.save(network, OUT / "module.pt")
    expect("module.pt", "torch-zip", dict(network.state_dict()))

    torch.save(torch.arange(6).reshape(2, 3).t(), OUT / "one-tensor.pt")
    expect("one-tensor.pt", "torch-zip", {"tensor": torch.arange(6).reshape(2, 3).t()})


all_dtypes()
torch_files()
checkpoint_with_callbacks()
small_networks()
(OUT / "expected.json").write_text(json.dumps(expected, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
