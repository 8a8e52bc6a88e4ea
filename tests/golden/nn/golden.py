"""Networks computed by PyTorch in double precision, written as goldens for tests/nn/layer_golden_test.cc.

A maker script calls case() for each network and then write(). A file <family>.json lists cases; <family>.f32 holds their
numbers. Weights, inputs and targets are drawn here; the reference is a function of them, one recording at a time:

  forward(p, xs, state) -> list over the batch of tensors
    p[block]    the weights, by the names and in the shapes that Serval gives its blocks
    xs[input]   list over the batch: [steps, ...] of a sequence, without padding, else the item
    state[block] statistics, which forward may replace, as training forwards do

Of each case: the output, and for the loss sum(output * upstream) the gradients of weights and inputs; then 20 steps of
gradient descent on half the mean square distance from a target, of which the losses are kept.
"""
import json
import pathlib

import numpy as np
import torch

HERE = pathlib.Path(__file__).resolve().parent
STEPS = 20


class Family:
    def __init__(self, name):
        self.name, self.cases, self.values, self.count = name, [], [], 0
        self.random = np.random.default_rng(sum(map(ord, name)))

    def put(self, array):
        array = np.asarray(array, np.float32).ravel()
        self.values.append(array)
        self.count += array.size
        return [self.count - array.size, array.size]

    def draw(self, shape, scale=1.0):
        """Multiples of 2^-12, so that single and double precision start equal."""
        return np.round(self.random.normal(0, scale, shape) * 4096) / 4096

    def case(self, name, network, blocks, forward, batch=3, lengths=None, rate=0.05, scale=None, state=None,
             tolerance=2e-5):
        """blocks: {name: shape} of weights; state: {name: initial values} of statistics, in Serval's order.

        lengths: {input: [steps of each recording]} for sequences. scale: {block: deviation} where the default,
        one over the square root of the last sizes, does not do.
        """
        torch.manual_seed(0)
        inputs = network["inputs"]
        lengths = lengths or {}
        drawn = {b: self.draw(s, (scale or {}).get(b, 1 / np.sqrt(max(1, np.prod(s[1:]))))) for b, s in blocks.items()}
        xs = {}
        for key, spec in inputs.items():
            shape = spec["shape"] if isinstance(spec["shape"], list) else [spec["shape"]]
            steps = lengths.get(key, [None] * batch)
            xs[key] = [self.draw(([n] if n else []) + shape) for n in steps]
        assert all(len(x) == batch for x in xs.values())

        def run(weights, statistics):
            p = {b: torch.tensor(w, dtype=torch.float64, requires_grad=True) for b, w in weights.items()}
            given = {k: [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in v] for k, v in xs.items()}
            statistics = {k: torch.tensor(v, dtype=torch.float64) for k, v in statistics.items()}
            out = forward(p, given, statistics)
            return p, given, statistics, out

        start = {k: np.asarray(v, np.float64) for k, v in (state or {}).items()}
        p, given, after, out = run(drawn, start)
        upstream = [self.draw(o.shape) for o in out]
        target = [self.draw(o.shape) for o in out]
        sum((o * torch.tensor(u)).sum() for o, u in zip(out, upstream)).backward()

        entry = {"name": name, "network": network, "batch": batch, "lengths": lengths, "rate": rate,
                 "tolerance": tolerance, "output_lengths": None, "arrays": {}}
        arrays = entry["arrays"]
        for key in inputs:
            arrays["x." + key] = self.put(padded(xs[key], key in lengths))
            arrays["dx." + key] = self.put(padded([gradient(g) for g in given[key]], key in lengths))
        sequence_out = out[0].dim() > 1 and any(o.shape != out[0].shape for o in out) or name.endswith("(sequence)")
        if sequence_out:
            entry["output_lengths"] = [o.shape[0] for o in out]
        for key, value in (("y", out), ("dy", upstream), ("target", target)):
            arrays[key] = self.put(padded([np.asarray(v.detach() if torch.is_tensor(v) else v) for v in value],
                                          sequence_out))
        for b in blocks:
            arrays["p." + b] = self.put(drawn[b])
            arrays["dp." + b] = self.put(gradient(p[b]))
        for b in start:
            arrays["p." + b] = self.put(start[b])
            arrays["after." + b] = self.put(after[b].detach().numpy())

        weights, statistics, losses = {b: w.copy() for b, w in drawn.items()}, start, []
        numbers = sum(o.numel() for o in out)
        for _ in range(STEPS):
            p, _, after, out = run(weights, statistics)
            loss = sum(((o - torch.tensor(t)) ** 2).sum() for o, t in zip(out, target)) / (2 * numbers)
            loss.backward()
            losses.append(loss.item())
            weights = {b: w - rate * gradient(p[b]) for b, w in weights.items()}
            statistics = {k: v.detach().numpy() for k, v in after.items()}
        arrays["losses"] = self.put(losses)
        self.cases.append(entry)

    def write(self):
        np.concatenate(self.values).astype("<f4").tofile(HERE / f"{self.name}.f32")
        text = json.dumps({"versions": {"torch": torch.__version__.split("+")[0]}, "cases": self.cases}, indent=1)
        (HERE / f"{self.name}.json").write_text(text + "\n")
        print(f"{self.name}: {len(self.cases)} cases, {self.count} numbers")


def gradient(tensor):
    return np.zeros(tensor.shape) if tensor.grad is None else tensor.grad.numpy()


def padded(arrays, sequence):
    """[batch, ...], or [time, batch, ...] with zeros behind each sequence."""
    if not sequence:
        return np.stack(arrays)
    longest = max(len(a) for a in arrays)
    return np.stack([np.concatenate([a, np.zeros((longest - len(a), *a.shape[1:]))]) for a in arrays], axis=1)
