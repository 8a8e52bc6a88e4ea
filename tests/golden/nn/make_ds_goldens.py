#!/usr/bin/env python3
"""Goldens of dual-sequence LSTMs and their variants. Needs PyTorch; writes ds.json, .f32."""
import torch

from golden import Family

family = Family("ds")
INPUTS = {"x": {"kind": "sequence", "shape": 4}, "y": {"kind": "sequence", "shape": 3}}
HIDDEN = 3
# Enough recordings at each step: norms of two or three values bend too much for single precision.
PAIRS = {"x": [5, 3, 5, 4, 5, 5, 5, 4, 5], "y": [6, 3, 5, 5, 5, 7, 5, 4, 5]}
GATES = {"dual": 4, "three_gate": 3, "six_gate": 6}


def zeros(*shape):
    return torch.zeros(shape, dtype=torch.float64)


def batch_norm(values, gamma, beta, state, name, step=None, momentum=0.1):
    """values [n, channels]; moves state's running statistics, those of a step where it is given."""
    mean, variance = values.mean(0), values.var(0, unbiased=False)
    running = state[name + ".running_mean"].clone(), state[name + ".running_variance"].clone()
    at = slice(None) if step is None else step
    running[0][at] += momentum * (mean.detach() - running[0][at])
    if len(values) > 1:
        running[1][at] += momentum * (variance.detach() * len(values) / (len(values) - 1) - running[1][at])
    state[name + ".running_mean"], state[name + ".running_variance"] = running
    return (values - mean) / torch.sqrt(variance + 1e-5) * gamma + beta


def affine(p, name, *parts):
    return torch.cat(parts, -1) @ p[name + ".w"].T + p[name + ".b"]


def gates_of(p, cell, x, y, h, c, variant, own_cell):
    """Before their norm; x, y [n, features], h and c one or two of [n, hidden]."""
    if not own_cell:
        return torch.sigmoid(affine(p, cell + ".gates", x, y, h[0]))
    halves = [affine(p, cell + ".gates", x, y, c[side]).chunk(2, 1)[side] for side in (0, 1)]
    return torch.sigmoid(torch.cat(halves, 1))


def step(p, cell, gates, x, y, h, c, variant):
    """The new h and c, lists of one or two."""
    of_x = torch.tanh(affine(p, cell + ".x_candidate", x, h[0]))
    if variant == "three_gate":
        f, i, o = gates.chunk(3, 1)
        c = [f * c[0] + i * of_x]
        return [o * torch.tanh(c[0])], c
    of_y = torch.tanh(affine(p, cell + ".y_candidate", y, h[-1]))
    if variant == "dual":
        f, i_x, o, i_y = gates.chunk(4, 1)
        c = [f * c[0] + i_x * of_x + i_y * of_y]
        return [o * torch.tanh(c[0])], c
    f_x, i_x, o_x, f_y, i_y, o_y = gates.chunk(6, 1)
    c = [f_x * c[0] + i_x * of_x, f_y * c[1] + i_y * of_y]
    return [o_x * torch.tanh(c[0]), o_y * torch.tanh(c[1])], c


def ds_lstm(p, name, xs, ys, state, variant="dual", own_cell=False, gates_normed=True, out_norm=None):
    """xs, ys: lists over the batch. Steps go side by side, for norms count those that are still running."""
    cell = name + (".cell" if out_norm else "")
    states = 2 if variant == "six_gate" else 1
    h = [[zeros(HIDDEN) for _ in xs] for _ in range(states)]
    c = [list(side) for side in h]
    rows = [[] for _ in xs]
    for t in range(max(map(len, xs))):
        running = [b for b in range(len(xs)) if len(xs[b]) > t]
        x, y = (torch.stack([of[b][t] for b in running]) for of in (xs, ys))
        before = [[torch.stack([side[b] for b in running]) for side in of] for of in (h, c)]
        gates = gates_of(p, cell, x, y, *before, variant, own_cell)
        if gates_normed:
            norm = cell + ".gate_norm"
            gates = batch_norm(gates, p[norm + ".gamma"], p[norm + ".beta"], state, norm, t)
        new_h, new_c = step(p, cell, gates, x, y, *before, variant)
        for place, b in enumerate(running):
            for side in range(states):
                h[side][b], c[side][b] = new_h[side][place], new_c[side][place]
            rows[b].append(torch.cat([side[b] for side in h]))
    out = [torch.stack(r) for r in rows]
    if not out_norm:
        return out
    norm = name + ".out_norm"
    gamma, beta = p[norm + ".gamma"], p[norm + ".beta"]
    if out_norm == "bn":
        return list(batch_norm(torch.cat(out), gamma, beta, state, norm).split([len(r) for r in out]))
    rows = [[] for _ in xs]
    for t in range(max(map(len, out))):
        running = [b for b in range(len(out)) if len(out[b]) > t]
        for b, row in zip(running, batch_norm(torch.stack([out[b][t] for b in running]), gamma, beta, state, norm, t)):
            rows[b].append(row)
    return [torch.stack(r) for r in rows]


def blocks(name, x, y, steps, variant="dual", own_cell=False, gates_normed=True, out_norm=None):
    cell = name + (".cell" if out_norm else "")
    gates = GATES[variant] * HIDDEN
    weights = {}
    for part, rows, columns in (("gates", gates, x + y + HIDDEN), ("x_candidate", HIDDEN, x + HIDDEN),
                                ("y_candidate", HIDDEN, y + HIDDEN)):
        if (variant, part) != ("three_gate", "y_candidate"):
            weights |= {f"{cell}.{part}.w": (rows, columns), f"{cell}.{part}.b": (rows,)}
    state = {}
    states = HIDDEN * (2 if variant == "six_gate" else 1)
    norms = ([(cell + ".gate_norm", gates, True)] if gates_normed else []) + (
        [(name + ".out_norm", states, out_norm == "per_step")] if out_norm else [])
    for norm, width, each in norms:
        weights |= {norm + ".gamma": (width,), norm + ".beta": (width,)}
        shape = (steps, width) if each else (width,)
        state |= {norm + ".running_mean": zeros(*shape), norm + ".running_variance": zeros(*shape) + 1}
    return weights, state


def case(name, settings, steps, layers=1, **more):
    def stack(k):
        return f"l.stack{k}" if layers > 1 else "l"

    six = more.get("variant") == "six_gate"
    weights, state = {}, {}
    for k in range(layers):
        w, s = blocks(stack(k), 4 if k == 0 else HIDDEN, HIDDEN if six and k > 0 else 3, steps, **more)
        weights, state = weights | w, state | s

    def forward(p, xs, state):
        values = xs["x"]
        ys = [y[:len(x)] for x, y in zip(xs["x"], xs["y"])]
        for k in range(layers):
            if six and k > 0:
                ys = [v[:, HIDDEN:] for v in values]
                values = [v[:, :HIDDEN] for v in values]
            values = ds_lstm(p, stack(k), values, ys, state, **more)
        return values

    if "variant" in more:
        settings = {"variant": more["variant"], **settings}
    if more.get("own_cell"):
        settings = {"gates_read": "own_cell", **settings}
    family.case(name + " (sequence)", {"inputs": INPUTS, "layers": [
        {"type": "match_steps", "name": "cut", "input": ["y", "x"]},
        {"type": "ds_lstm", "name": "l", "input": ["x", "cut"], "hidden": HIDDEN,
         **({"layers": layers} if layers > 1 else {}), **settings}]}, weights, forward, len(PAIRS["x"]), PAIRS,
        state=state, rate=0.02, scale={b: 0.2 for b in weights if b.endswith("gate_norm.gamma")})


NONE = {"gate_norm": "none", "out_norm": "none"}
case("ds_lstm without norms", NONE, 0, gates_normed=False)
case("ds_lstm with normed gates", {"out_norm": "none", "max_steps": 8}, 8)
case("ds_lstm with normed gates and results", {"max_steps": 6}, 6, out_norm="bn")
case("ds_lstm with results normed step by step", {"gate_norm": "none", "out_norm": "per_step", "max_steps": 7}, 7,
     gates_normed=False, out_norm="per_step")
case("two ds_lstms", {"max_steps": 6}, 6, layers=2, out_norm="bn")

case("three gates without norms", NONE, 0, variant="three_gate", gates_normed=False)
case("two of three gates, normed", {"max_steps": 5}, 5, layers=2, variant="three_gate", out_norm="bn")
case("six gates without norms", NONE, 0, variant="six_gate", gates_normed=False)
case("six gates of their own cells without norms", NONE, 0, variant="six_gate", own_cell=True, gates_normed=False)
case("six gates of their own cells, normed", {"out_norm": "per_step", "max_steps": 6}, 6, variant="six_gate",
     own_cell=True, out_norm="per_step")
case("two of six gates with normed results", {"gate_norm": "none"}, 0, layers=2, variant="six_gate",
     gates_normed=False, out_norm="bn")
case("two of six gates of their own cells, normed", {"max_steps": 6}, 6, layers=2, variant="six_gate", own_cell=True,
     out_norm="bn")

if __name__ == "__main__":
    family.write()
