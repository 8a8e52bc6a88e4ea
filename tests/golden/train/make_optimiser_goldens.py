"""Twenty steps of PyTorch's optimisers in double precision, for tests/nn/optimiser_test.cc."""
import json
import pathlib

import numpy as np
import torch

HERE = pathlib.Path(__file__).resolve().parent
random = np.random.default_rng(11)
COUNT, STEPS = 6, 20


def draw(*shape):
    return np.round(random.normal(0, 1, shape) * 4096) / 4096


start, gradients = draw(COUNT), draw(STEPS, COUNT)
gradients[3] *= 8  # clipped
cases = []
# Settings as Serval's files have them, and PyTorch's arguments.
for settings, maker in [
    ({"type": "sgd", "learning_rate": 0.0625}, lambda p: torch.optim.SGD(p, 0.0625)),
    ({"type": "sgd", "learning_rate": 0.0625, "momentum": 0.75, "weight_decay": 0.125},
     lambda p: torch.optim.SGD(p, 0.0625, momentum=0.75, weight_decay=0.125)),
    ({"type": "sgd", "learning_rate": 0.0625, "momentum": 0.875, "nesterov": True},
     lambda p: torch.optim.SGD(p, 0.0625, momentum=0.875, nesterov=True)),
    ({"type": "adam", "learning_rate": 0.0625}, lambda p: torch.optim.Adam(p, 0.0625)),
    ({"type": "adam", "learning_rate": 0.0625, "beta1": 0.75, "beta2": 0.9375, "epsilon": 1e-3, "weight_decay": 0.125},
     lambda p: torch.optim.Adam(p, 0.0625, betas=(0.75, 0.9375), eps=1e-3, weight_decay=0.125)),
    ({"type": "adamw", "learning_rate": 0.0625, "weight_decay": 0.25},
     lambda p: torch.optim.AdamW(p, 0.0625, weight_decay=0.25)),
    ({"type": "rmsprop", "learning_rate": 0.0625}, lambda p: torch.optim.RMSprop(p, 0.0625)),
    ({"type": "rmsprop", "learning_rate": 0.0625, "alpha": 0.875, "momentum": 0.5, "weight_decay": 0.125},
     lambda p: torch.optim.RMSprop(p, 0.0625, alpha=0.875, momentum=0.5, weight_decay=0.125)),
    ({"type": "rmsprop", "learning_rate": 0.0625, "alpha": 0.875, "momentum": 0.5, "centered": True, "epsilon": 1e-4},
     lambda p: torch.optim.RMSprop(p, 0.0625, alpha=0.875, momentum=0.5, centered=True, eps=1e-4)),
]:
    for clip in (0, 2):
        p = torch.tensor(start, requires_grad=True)
        optimiser, path = maker([p]), []
        for g in gradients:
            p.grad = torch.tensor(g)
            if clip:
                torch.nn.utils.clip_grad_norm_([p], clip)
            optimiser.step()
            path.append([float(v) for v in p.detach()])
        cases.append({"settings": settings, "clip": clip, "path": path})

text = json.dumps({"versions": {"torch": torch.__version__.split("+")[0]}, "start": start.tolist(),
                   "gradients": gradients.tolist(), "cases": cases})
(HERE / "optimisers.json").write_text(text.replace('{"settings"', '\n{"settings"') + "\n")
print(len(cases), "cases")
