"""Makes noise/torch.json: torch.randn on the CPU, the words behind it, and the "NV" numbers from numpy.

    python noise_golden.py OUT/torch.json
"""
import json
import sys
import zlib

import numpy as np
import torch

SEEDS = [0, 1, 42, 1234567890, 2**32 + 5, 2**63 - 1]
SIZES = [1, 5, 15, 16, 17, 100, 16384]


def ends(values):
    values = [float(v) for v in values]
    return {"first": values[:16], "last": values[-16:]}


def philox(seed, call, n):
    c = [np.full(n, call, np.uint64), np.zeros(n, np.uint64), np.arange(n, dtype=np.uint64), np.zeros(n, np.uint64)]
    low = np.uint64(0xFFFFFFFF)
    k = [seed & 0xFFFFFFFF, seed >> 32]
    for _ in range(10):
        a, b = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [(b >> np.uint64(32)) ^ c[1] ^ np.uint64(k[0]), b & low, (a >> np.uint64(32)) ^ c[3] ^ np.uint64(k[1]), a & low]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    x, y = c[0].astype(np.uint32), c[1].astype(np.uint32)
    unit = np.array([2.3283064e-10], dtype=np.float32)
    turn = np.array([2.3283064e-10 * 6.2831855], dtype=np.float32)
    return (np.sqrt(-2.0 * np.log(x * unit + unit / 2)) * np.sin(y * turn + turn / 2)).astype(np.float32)


def main():
    cases = []
    for seed in SEEDS:
        for size in SIZES:
            generator = torch.Generator().manual_seed(seed)
            first = torch.randn(size, generator=generator)
            cases.append({"seed": seed, "size": size, "draw": ends(first), "next": ends(torch.randn(size, generator=generator)),
                          "nv": ends(philox(seed, 0, size)), "nvNext": ends(philox(seed, 1, size))})
    words = [{"seed": s, "count": 10_000, "crc32": zlib.crc32(np.random.RandomState(s & 0xFFFFFFFF).bytes(40_000))} for s in SEEDS]
    generator = torch.Generator().manual_seed(3)
    mixed = [torch.randn(n, generator=generator).tolist() for n in (3, 20, 1, 2)]
    with open(sys.argv[1], "w") as out:
        json.dump({"cases": cases, "words": words, "mixed": {"seed": 3, "draws": mixed}}, out, separators=(",", ":"))
        out.write("\n")


if __name__ == "__main__":
    main()
