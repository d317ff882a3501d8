"""Writes a checkpoint with random weights of a chosen size, for speed, memory and format work.

  python make_checkpoint.py sd15 sd15.safetensors --dtype f16
  python make_checkpoint.py tiny tiny.ckpt --dtype f32

The ending picks the format: .safetensors, .ckpt (torch zip; with state_dict, global_step and callbacks as SD 1.x has)
or .pt (torch's older, non-zip pickle).
"""
import argparse

import torch

import sdref

SIZES = {
    "sd15": (dict(), dict(), dict()),
    "inpaint": (dict(in_channels=9), dict(), dict()),
    "tiny": (dict(model_channels=32, channel_mult=(1, 2, 4, 4), num_res_blocks=2, context_width=64),
             dict(ch=32, num_res_blocks=2), dict(width=64, layers=3)),
    # tiny with the mask and the masked picture beside the latent
    "tiny-inpaint": (dict(model_channels=32, channel_mult=(1, 2, 4, 4), num_res_blocks=2, context_width=64, in_channels=9),
                     dict(ch=32, num_res_blocks=2), dict(width=64, layers=3)),
    # odd on purpose: three levels, one block each, attention at two of them, 5 latent-free sizes
    "odd": (dict(model_channels=96, channel_mult=(1, 2, 3), num_res_blocks=1, attention_levels=(1, 2), context_width=80),
            dict(ch=64, ch_mult=(1, 1, 2), num_res_blocks=1), dict(width=80, layers=2)),
}


def randomise(module, generator):
    for name, p in module.named_parameters():
        if p.dim() > 1:
            torch.nn.init.normal_(p, 0, (0.6 / p[0].numel()) ** 0.5, generator=generator)
        else:
            torch.nn.init.normal_(p, 0.0 if name.endswith("bias") else 1.0, 0.03, generator=generator)


def build(size, seed=0):
    unet, vae, clip = SIZES[size]
    with torch.no_grad():
        model = sdref.StableDiffusion(sdref.UNet(**unet), sdref.AutoencoderKL(**vae), sdref.ClipText(**clip)).eval()
        generator = torch.Generator().manual_seed(seed)
        for part in (model.unet, model.vae, model.clip):
            randomise(part, generator)
    return model


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("size", choices=SIZES)
    p.add_argument("path")
    p.add_argument("--dtype", choices=["f16", "bf16", "f32"], default="f16")
    p.add_argument("--seed", type=int, default=0)
    args = p.parse_args()
    dtype = {"f16": torch.float16, "bf16": torch.bfloat16, "f32": torch.float32}[args.dtype]
    state = {k: v.to(dtype) for k, v in build(args.size, args.seed).checkpoint().items()}
    state["alphas_cumprod"] = sdref.alphas_cumprod()
    if args.path.endswith(".safetensors"):
        from safetensors.torch import save_file
        save_file(state, args.path, metadata={"format": "pt"})
    else:
        whole = {"epoch": 1, "global_step": 470000, "state_dict": state, "callbacks": {}, "lr_schedulers": []}
        torch.save(whole, args.path, _use_new_zipfile_serialization=not args.path.endswith(".pt"))
    print(args.path, sum(v.numel() for v in state.values()) / 1e6, "M parameters")
