"""Golden sampler runs, written from the published algorithms in torch's float32 (needs only torch).

  python sampling_golden.py > ../resources/sampling/runs.json

Sources: Karras et al. 2022 (Euler, Heun, ancestral steps as in k-diffusion, DPM2), Lu et al. 2022 (DPM++ 2M, 2S), Song et al. 2020
(DDIM), Adams-Bashforth with uneven steps (LMS). The "network" is a formula that Java can repeat.
"""
import json
import math

import torch

T = torch.tensor
BATCH, SIZE = 2, 8  # two images of 4 values
abar = torch.cumprod(1 - torch.linspace(0.00085 ** 0.5, 0.012 ** 0.5, 1000, dtype=torch.float64) ** 2, 0).float()
table = ((1 - abar) / abar).sqrt()
logs = table.log()


def wave(draw):
    """Stands for random normals; draw 0 is the first noise."""
    return T([1.5 * math.sin(1.7 * i + 2.3 * draw + 0.4) for i in range(SIZE)], dtype=torch.float64).float()


def network(x, t):
    return torch.tanh(x) * 0.7 + 0.1 * t / 1000


def to_t(sigma):
    low = int(torch.searchsorted(logs, sigma.log(), right=True)) - 1
    low = min(max(low, 0), 998)
    w = ((logs[low] - sigma.log()) / (logs[low] - logs[low + 1])).clamp(0, 1)
    return (1 - w) * low + w * (low + 1)


def to_sigma(t):
    low, high = t.floor().long(), t.ceil().long()
    w = t.frac()
    return ((1 - w) * logs[low] + w * logs[high]).exp()


def zero(s):
    return torch.cat([s, torch.zeros(1)])


def schedule(name, n):
    lo, hi = table[0], table[-1]
    if name == "uniform":
        return zero(to_sigma(torch.linspace(999, 0, n)))
    if name == "karras":
        ramp = torch.linspace(0, 1, n)
        return zero((hi ** (1 / 7) + ramp * (lo ** (1 / 7) - hi ** (1 / 7))) ** 7)
    if name in ("exponential", "polyexponential"):
        return zero(torch.linspace(math.log(hi), math.log(lo), n).exp())
    if name == "sgm_uniform":
        return zero(to_sigma(torch.linspace(float(to_t(hi)), float(to_t(lo)), n + 1)[:-1]))
    if name == "normal":
        return zero(to_sigma(torch.linspace(float(to_t(hi)), float(to_t(lo)), n)))
    if name == "kl_optimal":
        i = torch.arange(n + 1) / n
        return (i * torch.atan(lo) + (1 - i) * torch.atan(hi)).tan()
    if name == "align_your_steps":
        known = torch.log(T([14.615, 6.475, 3.861, 2.697, 1.886, 1.396, .963, .652, .399, .152, .029], dtype=torch.float64))
        at = torch.linspace(0, 10, n, dtype=torch.float64)
        low = at.floor().long().clamp(max=9)
        return zero((known[low] + (at - low) * (known[low + 1] - known[low])).exp().float())
    if name == "simple":
        return zero(torch.stack([table[-(1 + int(i * 1000 / n))] for i in range(n)]))
    if name == "ddim":
        return zero(table[torch.arange(1, 1000, max(1000 // n, 1))].flip(0))
    raise ValueError(name)


class Run:
    def __init__(self, sigmas):
        self.s, self.n = sigmas, len(sigmas) - 1
        self.x = wave(0) * sigmas[0]
        self.draws, self.calls, self.denoised = 0, 0, []
        self.churns = 0

    def model(self, x, sigma):
        self.calls += 1
        return x - sigma * network(x / (sigma ** 2 + 1).sqrt(), to_t(sigma))

    def noise(self):
        self.draws += 1
        return wave(self.draws)

    def ancestral(self, i):
        a, b = self.s[i], self.s[i + 1]
        return b ** 2 / a, (b ** 2 * (a ** 2 - b ** 2) / a ** 2).sqrt()

    def each(self):
        for i in range(self.n):
            d = self.model(self.x, self.s[i])
            self.denoised.append(d)
            self.draws += self.churns  # drawn for churn, which is 0 here
            yield i, self.s[i], self.s[i + 1], d

    def euler(self):
        for i, a, b, d in self.each():
            self.x = self.x + (self.x - d) / a * (b - a)

    def euler_a(self):
        for i, a, b, d in self.each():
            down, up = self.ancestral(i)
            self.x = self.x + (self.x - d) / a * (down - a)
            if b > 0:
                self.x = self.x + self.noise() * up

    def heun(self):
        for i, a, b, d in self.each():
            k = (self.x - d) / a
            if b > 0:
                x2 = self.x + k * (b - a)
                k = (k + (x2 - self.model(x2, b)) / b) / 2
            self.x = self.x + k * (b - a)

    def middle(self, a, b, d):
        k = (self.x - d) / a
        if b > 0:
            m = ((a.log() + b.log()) / 2).exp()
            x2 = self.x + k * (m - a)
            k = (x2 - self.model(x2, m)) / m
        self.x = self.x + k * (b - a)

    def dpm2(self):
        for i, a, b, d in self.each():
            self.middle(a, b, d)

    def dpm2_a(self):
        for i, a, b, d in self.each():
            down, up = self.ancestral(i)
            self.middle(a, down, d)
            if down > 0:
                self.x = self.x + self.noise() * up

    def dpmpp_2s_a(self):
        for i, a, b, d in self.each():
            down, up = self.ancestral(i)
            if down == 0:
                self.x = self.x + (self.x - d) / a * (down - a)
            else:
                t, h = -a.log(), -down.log() + a.log()
                m = (-(t + h / 2)).exp()
                x2 = m / a * self.x - (-h / 2).expm1() * d
                self.x = down / a * self.x - (-h).expm1() * self.model(x2, m)
            if b > 0:
                self.x = self.x + self.noise() * up

    def dpmpp_2m(self):
        old = None
        for i, a, b, d in self.each():
            target = d
            h = -b.log() + a.log()
            if old is not None and b > 0:
                r = (-a.log() + self.s[i - 1].log()) / h
                target = (1 + 1 / (2 * r)) * d - 1 / (2 * r) * old
            self.x = b / a * self.x - (-h).expm1() * target
            old = d

    def lms(self):
        slopes, s = [], self.s.double()
        points = torch.linspace(0, 1, 2001, dtype=torch.float64)  # Simpson's rule, which is exact for cubics too
        weights = torch.full((2001,), 2.0, dtype=torch.float64)
        weights[1::2], weights[0], weights[-1] = 4, 1, 1
        for i, a, b, d in self.each():
            slopes = ([(self.x - d) / a] + slopes)[:4]
            at = s[i] + points * (s[i + 1] - s[i])
            change = 0
            for j, k in enumerate(slopes):
                basis = torch.ones_like(at)
                for m in range(len(slopes)):
                    if m != j:
                        basis = basis * (at - s[i - m]) / (s[i - j] - s[i - m])
                change = change + float((basis * weights).sum() / 6000 * (s[i + 1] - s[i])) * k
            self.x = self.x + change

    def ddim(self, n):
        ts = [min(v + 1, 999) for v in range(0, 1000, 1000 // n)]
        self.x = wave(0)
        for i in range(len(ts) - 1, 0, -1):
            a, b = abar[ts[i]], abar[ts[i - 1]].double()
            self.calls += 1
            e = network(self.x, ts[i])
            d = (self.x - (1 - a).sqrt() * e) / a.sqrt()
            self.denoised.append(d)
            self.x = b.sqrt().float() * d + (1 - b).sqrt().float() * e + 0 * self.noise()


def numbers(tensor):
    return [float(f"{v:.8g}") for v in tensor.tolist()]


SAMPLERS = {"Euler a": "euler_a", "Euler": "euler", "Heun": "heun", "DPM++ 2M": "dpmpp_2m", "LMS": "lms", "DPM2": "dpm2",
            "DPM2 a": "dpm2_a", "DPM++ 2S a": "dpmpp_2s_a"}
SCHEDULES = ["uniform", "karras", "exponential", "polyexponential", "sgm_uniform", "normal", "kl_optimal", "align_your_steps",
             "simple", "ddim"]
STEPS = [1, 2, 5, 20]
ONLY_LOWEST = ("align_your_steps", 1)  # A1111 starts this one from the lowest level


def entry(label, name, steps, run, whole):
    out = {"sampler": label, "schedule": name, "steps": steps, "calls": run.calls, "draws": run.draws, "x": numbers(run.x)}
    if whole:
        out["denoised"] = [numbers(d) for d in run.denoised]
    return out


if __name__ == "__main__":
    runs = []
    for label, method in SAMPLERS.items():
        for name in SCHEDULES:
            for steps in STEPS:
                if (name, steps) == ONLY_LOWEST:
                    continue
                s = schedule(name, steps + label.startswith("DPM2"))
                if label.startswith("DPM2"):
                    s = torch.cat([s[:-2], s[-1:]])
                run = Run(s)
                run.churns = int(label in ("Euler", "Heun", "DPM2"))
                getattr(run, method)()
                runs.append(entry(label, name, steps, run, name == "uniform"))
    for steps in STEPS[1:] + [9, 30]:
        run = Run(torch.ones(2))
        run.ddim(steps)
        runs.append(entry("DDIM", "automatic", steps, run, steps <= 20))
    levels = [{"schedule": name, "steps": steps, "sigmas": numbers(schedule(name, steps))}
              for name in SCHEDULES for steps in STEPS if (name, steps) != ONLY_LOWEST]
    print('{"levels": [\n' + ",\n".join(map(json.dumps, levels)) + '\n], "runs": [\n' + ",\n".join(map(json.dumps, runs)) + "\n]}")
