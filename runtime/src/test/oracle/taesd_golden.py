"""A miniature TAESD with random weights in its three kinds of files, and PyTorch's results: src/test/resources/taesd/.

    python3 -m venv venv && venv/bin/pip install torch==2.13.0 numpy safetensors
    venv/bin/python taesd_golden.py

Layers as the network's author numbers them: the decoder limits latents by 3·tanh(x / 3) first, and doubles before its convolutions without bias.
"""
import pathlib

import torch
from safetensors.torch import save_file
from torch import nn

TARGET = pathlib.Path(__file__).resolve().parent.parent / "resources" / "taesd"
FEATURES = 8


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        layers = [nn.Conv2d(FEATURES, FEATURES, 3, padding=1) for _ in range(3)]
        self.conv = nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), layers[2])

    def forward(self, x):
        return torch.relu(self.conv(x) + x)


class Limit(nn.Module):
    def forward(self, x):
        return torch.tanh(x / 3) * 3


def conv(inputs, outputs, **options):
    return nn.Conv2d(inputs, outputs, 3, padding=1, **options)


def main():
    torch.manual_seed(5)
    decoder, encoder = [Limit(), conv(4, FEATURES), nn.ReLU()], [conv(3, FEATURES), Block()]
    for _ in range(3):
        decoder += [Block(), nn.Upsample(scale_factor=2), conv(FEATURES, FEATURES, bias=False)]
        encoder += [conv(FEATURES, FEATURES, stride=2, bias=False), Block()]
    decoder = nn.Sequential(*decoder, Block(), conv(FEATURES, 3))
    encoder = nn.Sequential(*encoder, conv(FEATURES, 4))
    latent, image = torch.randn(1, 4, 5, 3) * 3, torch.rand(1, 3, 24, 16)
    TARGET.mkdir(parents=True, exist_ok=True)
    torch.save(decoder.state_dict(), TARGET / "taesd_decoder.pth")
    torch.save(encoder.state_dict(), TARGET / "taesd_encoder.pth")
    both = {}
    for name, tensor in decoder.state_dict().items():
        number, rest = name.split(".", 1)
        both[f"decoder.layers.{int(number) - 1}.{rest}"] = tensor
    for name, tensor in encoder.state_dict().items():
        both["encoder.layers." + name] = tensor
    save_file(both, str(TARGET / "diffusers.safetensors"))
    with torch.inference_mode():
        golden = {"latent": latent, "image": image, "decoded": decoder(latent), "encoded": encoder(image)}
    save_file({name: tensor[0].permute(1, 2, 0).contiguous() for name, tensor in golden.items()}, str(TARGET / "golden.safetensors"))


if __name__ == "__main__":
    main()
