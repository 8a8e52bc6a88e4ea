"""Values and gradients of losses by PyTorch in double precision, for tests/nn/loss_golden_test.cc.

Inputs are multiples of 2^-12, so that single and double precision start equal.
"""
import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

HERE = pathlib.Path(__file__).resolve().parent
random = np.random.default_rng(7)


def draw(*shape, scale=1.0):
    return np.round(random.normal(0, scale, shape) * 4096) / 4096


def graded(values):
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def flat(array):
    return [float(v) for v in np.asarray(array, np.float64).ravel()]


def focal(logits, target, weight, gamma):
    """sum_b w_b (1 - p)^gamma (-log p) / sum_b w_b, with p the probability of the label."""
    log_p = F.log_softmax(logits, 1).gather(1, target[:, None])[:, 0]
    w = torch.ones(logits.shape[1], dtype=torch.float64) if weight is None else weight
    w = w[target]
    return -(w * (1 - log_p.exp()) ** gamma * log_p).sum() / w.sum()


def ccc_loss(y, t):
    mean_y, mean_t = y.mean(0), t.mean(0)
    cov = ((y - mean_y) * (t - mean_t)).mean(0)
    below = y.var(0, unbiased=False) + t.var(0, unbiased=False) + (mean_y - mean_t) ** 2
    return 1 - (2 * cov / below).mean()


cases = []
batch, classes = 7, 5
weights = [0.5, 2.0, 1.25, 0.125, 3.0]
for name, options in {
    "cross entropy": {},
    "with weights": {"weights": True},
    "smoothed": {"smoothing": 0.125},
    "smoothed with weights": {"smoothing": 0.25, "weights": True},
    "soft labels": {"soft": True},
    "soft labels, smoothed, with weights": {"soft": True, "smoothing": 0.125, "weights": True},
    "focal": {"gamma": 2.0},
    "focal with weights, gamma below 1": {"gamma": 0.5, "weights": True},
}.items():
    logits = draw(batch, classes, scale=2.0)
    labels = random.integers(0, classes, batch)
    w = torch.tensor(weights, dtype=torch.float64) if options.get("weights") else None
    z = graded(logits)
    entry = {"kind": "classes", "name": name, "batch": batch, "width": classes, "x": flat(logits),
             "smoothing": options.get("smoothing", 0.0), "gamma": options.get("gamma", 0.0),
             "weights": weights if w is not None else []}
    if options.get("soft"):
        counts = random.integers(1, 9, (batch, classes)) * (random.random((batch, classes)) < 0.7)
        counts[:, 0] += 1
        rows = np.asarray(counts / counts.sum(1, keepdims=True), np.float32).astype(np.float64)
        entry["targets"] = flat(rows)
        target = torch.tensor(rows)
    else:
        entry["labels"] = [int(v) for v in labels]
        target = torch.tensor(labels)
    if entry["gamma"]:
        loss = focal(z, target, w, entry["gamma"])
    else:
        loss = F.cross_entropy(z, target, weight=w, label_smoothing=entry["smoothing"])
    loss.backward()
    cases.append(entry | {"loss": loss.item(), "dx": flat(z.grad)})

for kind, function in {"mean_square": F.mse_loss, "concordance": ccc_loss}.items():
    for width in (1, 3):
        y, t = draw(6, width), draw(6, width)
        z = graded(y)
        loss = function(z, torch.tensor(t))
        loss.backward()
        cases.append({"kind": kind, "name": f"{kind}, {width} wide", "batch": 6, "width": width, "x": flat(y),
                      "targets": flat(t), "loss": loss.item(), "dx": flat(z.grad)})

x, centers, labels, rate = draw(6, 4), draw(3, 4), np.array([0, 2, 2, 0, 2, 0]), 0.5
z = graded(x)
loss = 0.5 * ((z - torch.tensor(centers)[labels]) ** 2).sum() / 6
loss.backward()
moved = centers.copy()
for j in range(3):
    own = x[labels == j]
    if len(own):
        moved[j] -= rate * (centers[j] - own).sum(0) / (1 + len(own))
cases.append({"kind": "center", "name": "center loss", "batch": 6, "width": 4, "x": flat(x), "centers": flat(centers),
              "labels": [int(v) for v in labels], "rate": rate, "moved": flat(moved), "loss": loss.item(),
              "dx": flat(z.grad)})

text = json.dumps({"versions": {"torch": torch.__version__.split("+")[0]}, "cases": cases})
(HERE / "losses.json").write_text(text.replace('{"kind"', '\n{"kind"') + "\n")
print(len(cases), "cases")
