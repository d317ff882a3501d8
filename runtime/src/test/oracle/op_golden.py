"""Golden values of single ops for ReferenceOpsTest (needs torch and safetensors).

  python op_golden.py        writes ../resources/networks/ops.safetensors

Names: CASE.in.NAME are inputs and CASE.out the result, channels last; everything else under CASE is a parameter. Computed in 64 bits from
32-bit inputs and rounded once; timesteps in 32 bits, as the original program does.
"""
import pathlib

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

import sdref

torch.manual_seed(3)
out = {}


def case(name, result, **tensors):
    for key, value in tensors.items():
        out[f"{name}.{key.replace('__', '.')}"] = value.float().contiguous()
    out[f"{name}.out"] = result.float().contiguous()


def normal(*shape):
    return torch.randn(*shape).double()


def first(x):
    return x.permute(0, 3, 1, 2)


def last(x):
    return x.permute(0, 2, 3, 1)


def convolution(name, shape, outputs, kernel, stride, before, after, doubled=False, then=lambda y: y, **more):
    x, w, b = normal(*shape), normal(outputs, shape[3], kernel, kernel), normal(outputs)
    y = first(x)
    if doubled:
        y = F.interpolate(y, scale_factor=2.0, mode="nearest")
    y = F.conv2d(F.pad(y, (before, after, before, after)), w, b, stride=stride)
    case(name, then(last(y)), in__x=x, conv__weight=w, conv__bias=b, **more)


convolution("convolution", (2, 9, 7, 5), 6, 3, 1, 1, 1)
convolution("convolution_one_position", (1, 1, 1, 3), 17, 3, 1, 1, 1)
convolution("convolution_wide", (1, 5, 4, 70), 3, 3, 1, 1, 1)
convolution("convolution_1x1", (2, 3, 5, 7), 4, 1, 1, 0, 0)
convolution("convolution_stride_2", (2, 9, 7, 5), 6, 3, 2, 1, 1)
convolution("convolution_stride_2_even", (1, 8, 6, 5), 6, 3, 2, 1, 1)
convolution("convolution_padded_behind", (2, 9, 8, 5), 6, 3, 2, 0, 1)
convolution("convolution_doubled", (2, 5, 3, 4), 6, 3, 1, 1, 1, doubled=True)
other, vector = normal(2, 9, 7, 6), normal(2, 1, 1, 6)
convolution("convolution_post_ops", (2, 9, 7, 5), 6, 3, 1, 1, 1, then=lambda y: F.silu(y + vector) + other, in__other=other, in__vector=vector)

x, w, b = normal(2, 1, 13, 5), normal(7, 5), normal(7)
case("linear", F.linear(x, w, b), in__x=x, a__weight=w, a__bias=b)
case("linear_without_bias", F.linear(x, w), in__x=x, a__weight=w)
case("linear_of_a_map", F.linear(x.view(2, 13, 1, 5), w, b), in__x=x.view(2, 13, 1, 5), a__weight=w.view(7, 5, 1, 1), a__bias=b)
other = normal(2, 1, 13, 7)
case("linear_post_ops", F.gelu(F.linear(x, w, b) + other), in__x=x, in__other=other, a__weight=w, a__bias=b)
w, b = normal(22, 5), normal(22)
value, gate = F.linear(x, w, b).chunk(2, dim=-1)
case("geglu", value * F.gelu(gate), in__x=x, a__weight=w, a__bias=b)

for name, epsilon, size in (("group_norm", 1e-5, 1.0), ("group_norm_small", 1e-6, 1e-3), ("group_norm_offset", 1e-5, 1.0)):
    x, w, b = normal(2, 5, 3, 12) * size + (50 if name.endswith("offset") else 0), normal(12), normal(12)
    x = x.float().double()
    case(name, last(F.group_norm(first(x), 4, w, b, epsilon)), in__x=x, norm__weight=w, norm__bias=b)
case("group_norm_silu", F.silu(last(F.group_norm(first(x), 4, w, b, 1e-5))), in__x=x, norm__weight=w, norm__bias=b)
x, w, b = normal(2, 1, 5, 11) * 3e-3, normal(11), normal(11)
x = x.float().double()
case("layer_norm", F.layer_norm(x, (11,), w, b, 1e-5), in__x=x, norm__weight=w, norm__bias=b)


def attention(q, k, v, heads, causal=False):
    split = lambda t: t.reshape(t.shape[0], -1, heads, t.shape[3] // heads).transpose(1, 2)
    y = F.scaled_dot_product_attention(split(q), split(k), split(v), is_causal=causal)
    return y.transpose(1, 2).reshape(q.shape)


q, k, v = normal(2, 3, 5, 12) * 2, normal(2, 3, 5, 12) * 2, normal(2, 3, 5, 12)
case("attention", attention(q, k, v, 3), in__q=q, in__k=k, in__v=v)
case("attention_one_head", attention(q, k, v, 1), in__q=q, in__k=k, in__v=v)
case("attention_other_length", attention(q, k[:, :1, :4], v[:, :1, :4], 3), in__q=q, in__k=k[:, :1, :4], in__v=v[:, :1, :4])
q, k, v = normal(2, 1, 21, 12), normal(2, 1, 21, 12), normal(2, 1, 21, 12)
case("attention_causal", attention(q, k, v, 3, causal=True), in__q=q, in__k=k, in__v=v)
case("attention_packed", attention(q, k, v, 3), in__x=torch.cat([k, v, normal(2, 1, 21, 1), q], dim=3))
q, k, v = q * 30, k * 30, v
case("attention_steep", attention(q.float().double(), k.float().double(), v, 3), in__q=q, in__k=k, in__v=v)

x = torch.cat([torch.linspace(-12, 12, 97), torch.tensor([0.0, -0.0, 1e-30, -1e-6, 80.0, -80.0, 1e30, -1e30])]).double().view(1, 1, 7, 15)
x = x.float().double()
case("silu", F.silu(x), in__x=x)
case("gelu", F.gelu(x), in__x=x)
case("quick_gelu", x * torch.sigmoid(1.702 * x), in__x=x)

x, y = normal(2, 5, 3, 7), normal(2, 5, 3, 7)
case("add", x + y, in__x=x, in__other=y)
case("add_per_channel", x + y[:, :1, :1], in__x=x, in__other=y[:, :1, :1])
case("add_per_channel_to_all", x + y[:1, :1, :1], in__x=x, in__other=y[:1, :1, :1])
case("concat", torch.cat([x, y[..., :4]], dim=3), in__x=x, in__other=y[..., :4])
for height, width in ((10, 6), (9, 8), (4, 2), (5, 7)):
    case(f"upsample_{height}x{width}", last(F.interpolate(first(x), (height, width), mode="nearest")), in__x=x)

ids = torch.randint(0, 19, (2, 5))
ids[0, 0], ids[1, 4] = 0, 18
tokens, places = normal(19, 6), normal(8, 6)
case("embedding", (tokens[ids] + places[:5])[:, None], in__ids=ids.view(2, 1, 5, 1), e__token_embedding__weight=tokens,
     e__position_embedding__weight=places)
timesteps = torch.tensor([0.0, 1.0, 13.0, 500.5, 801.0, 999.0])
case("timesteps", sdref.timestep_embedding(timesteps, 320).view(6, 1, 1, 320), in__timesteps=timesteps.view(6, 1, 1, 1))

target = pathlib.Path(__file__).parent.parent / "resources" / "networks" / "ops.safetensors"
save_file(out, str(target))
print(len(out), "tensors")
