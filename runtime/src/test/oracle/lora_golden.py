"""Goldens of what LoRA and its relatives make of a weight, in double precision, by the definitions of the libraries that train them.

    python lora_golden.py ../resources/lora

Writes cases.safetensors: for each case NAME its base weight "NAME|base", the file's parts "NAME|part|KEY", and the changed weight "NAME|merged";
what the prompt says stands in the metadata as JSON.

Definitions: LoRA, LoCon, LoHa, LoKr, IA3, GLoRA, full, norm, diag-oft, boft: LyCORIS 3 (lycoris/functional, lycoris/modules), each with
scale = alpha / rank; DoRA's direction: LyCORIS's apply_weight_decompose (per input column, or per output as PEFT's lora_magnitude_vector);
constraint and rotation of OFT: (I + Q)(I - Q)^-1 with Q = B - B^T, as kohya's oft.py and LyCORIS's get_r.
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

torch.manual_seed(20261128)
D = torch.float64
tensors, about = {}, {}


def rnd(*shape):
    return torch.randn(*shape, dtype=torch.float32).to(D) * 0.3


def case(name, base, parts, delta, multiplier=0.8, ranks=None):
    merged = base + multiplier * delta
    tensors[name + "|base"] = base
    for key, value in parts.items():
        tensors[name + "|part|" + key] = torch.as_tensor(value, dtype=D)
    tensors[name + "|merged"] = merged
    about[name] = {"multiplier": multiplier, "ranks": ranks}


def cp(t, a, b):
    return torch.einsum("ijkl,jr,ip->prkl", t, b, a).contiguous()


def linear():
    return rnd(12, 10)


def conv():
    return rnd(12, 10, 3, 3)


def dora(base, delta, magnitude, dims):
    merged = base + delta
    return merged * (magnitude / merged.square().sum(dims, keepdim=True).sqrt()) - base


w, up, down = linear(), rnd(12, 4), rnd(4, 10)
case("lora", w, {"lora_up.weight": up, "lora_down.weight": down, "alpha": 2.0}, up @ down * 2 / 4)
case("lora without alpha", w, {"lora_up.weight": up, "lora_down.weight": down}, up @ down)
case("lora first ranks", w, {"lora_up.weight": up, "lora_down.weight": down, "alpha": 2.0}, up[:, :3] @ down[:3] * 2 / 4, 1.3, 3)
case("peft", w, {"lora_B.weight": up, "lora_A.weight": down}, up @ down, -0.7)
case("diffusers", w, {"lora.up.weight": up, "lora.down.weight": down}, up @ down)
case("lora scale", w, {"lora_up.weight": up, "lora_down.weight": down, "alpha": 2.0, "scale": 0.25}, up @ down * 0.25)
w, up, down = conv(), rnd(12, 4, 1, 1), rnd(4, 10, 3, 3)
case("locon", w, {"lora_up.weight": up, "lora_down.weight": down, "alpha": 1.0}, (up.flatten(1) @ down.flatten(1)).view_as(w) / 4)
up, down, mid = rnd(12, 4, 1, 1), rnd(4, 10, 1, 1), rnd(4, 4, 3, 3)
case(
    "locon mid", w, {"lora_up.weight": up, "lora_down.weight": down, "lora_mid.weight": mid, "alpha": 1.0},
    torch.einsum("nmkl,in,mj->ijkl", mid, up.flatten(1), down.flatten(1)) / 4)
w, down = rnd(12, 9, 3, 3), rnd(4, 4, 3, 3)
up = rnd(12, 4, 1, 1)
wide = torch.zeros_like(w)
wide[:, :4] = (up.flatten(1) @ down.flatten(1)).view(12, 4, 3, 3) / 2
case("lora for four channels of nine", w, {"lora_up.weight": up, "lora_down.weight": down, "alpha": 2.0}, wide)

w = linear()
a1, b1, a2, b2 = rnd(12, 3), rnd(3, 10), rnd(12, 3), rnd(3, 10)
hada = {"hada_w1_a": a1, "hada_w1_b": b1, "hada_w2_a": a2, "hada_w2_b": b2, "alpha": 2.0}
case("loha", w, hada, (a1 @ b1) * (a2 @ b2) * 2 / 3)
w, b1, b2 = conv(), rnd(3, 90), rnd(3, 90)
hada = {"hada_w1_a": a1, "hada_w1_b": b1, "hada_w2_a": a2, "hada_w2_b": b2, "alpha": 2.0}
case("loha convolution", w, hada, ((a1 @ b1) * (a2 @ b2)).view_as(w) * 2 / 3)
a1, b1, a2, b2, t1, t2 = rnd(3, 12), rnd(3, 10), rnd(3, 12), rnd(3, 10), rnd(3, 3, 3, 3), rnd(3, 3, 3, 3)
hada = {"hada_w1_a": a1, "hada_w1_b": b1, "hada_w2_a": a2, "hada_w2_b": b2, "hada_t1": t1, "hada_t2": t2, "alpha": 2.0}
case("loha tucker", w, hada, cp(t1, a1, b1) * cp(t2, a2, b2) * 2 / 3)

w, out, into = linear(), rnd(12), rnd(10)
case("ia3 on output", w, {"weight": out, "on_input": 0.0}, w * out[:, None])
case("ia3 on input", w, {"weight": into, "on_input": 1.0}, w * into[None])

w1, w2 = rnd(3, 2), rnd(4, 5)
case("lokr", w, {"lokr_w1": w1, "lokr_w2": w2, "alpha": 7.0}, torch.kron(w1, w2))
w1a, w1b, w2a, w2b = rnd(3, 2), rnd(2, 2), rnd(4, 2), rnd(2, 5)
case("lokr second in factors", w, {"lokr_w1": w1, "lokr_w2_a": w2a, "lokr_w2_b": w2b, "alpha": 1.0}, torch.kron(w1, w2a @ w2b) / 2)
case(
    "lokr both in factors", w, {"lokr_w1_a": w1a, "lokr_w1_b": w1b, "lokr_w2_a": w2a, "lokr_w2_b": w2b, "alpha": 1.0},
    torch.kron(w1a @ w1b, w2a @ w2b) / 2)
w, w2 = conv(), rnd(4, 5, 3, 3)
case("lokr convolution", w, {"lokr_w1": w1, "lokr_w2": w2}, torch.kron(w1[:, :, None, None], w2))
w2a, w2b, t2 = rnd(2, 4), rnd(2, 5), rnd(2, 2, 3, 3)
case(
    "lokr tucker", w, {"lokr_w1": w1, "lokr_w2_a": w2a, "lokr_w2_b": w2b, "lokr_t2": t2, "alpha": 1.0},
    torch.kron(w1[:, :, None, None], cp(t2, w2a, w2b)) / 2)
w2a, w2b = rnd(4, 2), rnd(2, 45)
case(
    "lokr convolution in factors", w, {"lokr_w1": w1, "lokr_w2_a": w2a, "lokr_w2_b": w2b, "alpha": 1.0},
    torch.kron(w1[:, :, None, None], (w2a @ w2b).view(4, 5, 3, 3)) / 2)

w, diff = conv(), rnd(12, 10, 3, 3)
case("full", w, {"diff": diff}, diff)
w, diff = rnd(12), rnd(12)
case("norm", w, {"w_norm": diff}, diff)

w, a1, a2, b1, b2 = linear(), rnd(3, 10), rnd(10, 3), rnd(3, 10), rnd(12, 3)
case("glora", w, {"a1.weight": a1, "a2.weight": a2, "b1.weight": b1, "b2.weight": b2, "alpha": 1.5}, (b2 @ b1 + w @ a2 @ a1) / 2)
case(
    "glora since 2024", w, {"a1.weight": a2, "a2.weight": a1, "b1.weight": b2, "b2.weight": b1, "alpha": 1.5},
    (b2 @ b1 + w @ a2 @ a1) / 2)


def rotation(blocks, constraint=0.0):
    q = blocks - blocks.transpose(-1, -2)
    if constraint:
        norm = q.norm()
        q = q * ((norm.clamp(max=constraint) + 1e-8) / (norm + 1e-8))
    eye = torch.eye(q.shape[-1], dtype=D)
    return (eye + q) @ torch.inverse(eye - q)


def blockwise(r, w):
    k, n = r.shape[:2]
    return torch.einsum("knm,kn...->km...", r, w.view(k, n, *w.shape[1:])).reshape(w.shape)


w, blocks = linear(), rnd(3, 4, 4)
case("oft", w, {"oft_blocks": blocks, "alpha": 0.0}, blockwise(rotation(blocks), w) - w)
case("oft constrained", w, {"oft_blocks": blocks, "alpha": 0.01}, blockwise(rotation(blocks, 0.01 * 12), w) - w)
rescale = rnd(12, 1) + 1
case("oft rescaled", w, {"oft_blocks": blocks, "rescale": rescale}, rescale * blockwise(rotation(blocks), w) - w)
case("oft rotations", w, {"oft_diag": rotation(blocks)}, blockwise(rotation(blocks), w) - w)
wc = conv()
case("oft convolution", wc, {"oft_blocks": blocks}, blockwise(rotation(blocks), wc) - wc)


def boft(blocks, w):
    m, d, b = blocks.shape[:3]
    for i in range(m):
        k = 2 ** i * (b // 2)
        c = w.shape[0] // (2 * k)
        shape = w.shape
        w = w.view(c, 2, k, -1).transpose(1, 2).reshape(d, b, -1)
        w = torch.einsum("bij,bjx->bix", rotation(blocks[i]), w)
        w = w.reshape(c, k, 2, -1).transpose(1, 2).reshape(shape)
    return w


w, blocks = rnd(16, 10), rnd(3, 4, 4, 4)
case("boft", w, {"oft_blocks": blocks, "alpha": 0.0}, boft(blocks, w) - w)

w, up, down = linear(), rnd(12, 4), rnd(4, 10)
delta = up @ down / 2
m = rnd(1, 10).abs() + 0.5
case("dora by input", w, {"lora_up.weight": up, "lora_down.weight": down, "alpha": 2.0, "dora_scale": m}, dora(w, delta, m, 0))
m = rnd(12, 1).abs() + 0.5
case("dora by output", w, {"lora_up.weight": up, "lora_down.weight": down, "alpha": 2.0, "dora_scale": m}, dora(w, delta, m, 1))
case("dora of peft", w, {"lora_B.weight": up, "lora_A.weight": down, "lora_magnitude_vector": m[:, 0]}, dora(w, up @ down, m, 1))
w, up, down, m = conv(), rnd(12, 4, 1, 1), rnd(4, 10, 3, 3), rnd(1, 10, 1, 1).abs() + 0.5
delta = (up.flatten(1) @ down.flatten(1)).view_as(w) / 2
case("dora convolution", w, {"lora_up.weight": up, "lora_down.weight": down, "alpha": 2.0, "dora_scale": m}, dora(w, delta, m, (0, 2, 3)))
a1, b1, a2, b2 = rnd(12, 3), rnd(3, 10), rnd(12, 3), rnd(3, 10)
w, m = linear(), rnd(1, 10).abs() + 0.5
hada = {"hada_w1_a": a1, "hada_w1_b": b1, "hada_w2_a": a2, "hada_w2_b": b2, "alpha": 2.0, "dora_scale": m}
case("dora of loha", w, hada, dora(w, (a1 @ b1) * (a2 @ b2) * 2 / 3, m, 0))

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
save_file(
    {name: value.to(torch.float32).contiguous() for name, value in tensors.items()}, folder / "cases.safetensors", {"cases": json.dumps(about)})
