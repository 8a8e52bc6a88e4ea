#!/usr/bin/env python3
"""Goldens of recurrent layers. Needs PyTorch; writes cells.json, .f32."""
import torch
import torch.nn.functional as F

from golden import Family

family = Family("cells")
SEQUENCE = {"x": {"kind": "sequence", "shape": 4}}
LENGTHS = {"x": [6, 2, 5, 1]}
INPUT = 4


def per_item(function):
    return lambda p, xs, state: [function(p, x) for x in xs["x"]]


def zeros(*shape):
    return torch.zeros(shape, dtype=torch.float64)


def scan(step, x, state, reverse=False):
    """step(x_t, state) -> (h, state)"""
    rows = []
    for value in (x.flip(0) if reverse else x):
        h, state = step(value, state)
        rows.append(h)
    out = torch.stack(rows)
    return out.flip(0) if reverse else out


def blocks(prefix, inputs, hidden, gates, second_bias=False, peephole=None):
    out = {prefix + "w_x": (gates * hidden, inputs), prefix + "w_h": (gates * hidden, hidden),
           prefix + "b": (gates * hidden,)}
    if second_bias:
        out[prefix + "b_h"] = (gates * hidden,)
    if peephole:
        out[prefix + "w_c"] = (3 * hidden,) if peephole == "diagonal" else (3 * hidden, hidden)
    return out


def lstm(p, prefix, x, reverse=False, peephole=None, output="current"):
    def peep(gate, cell):
        if not peephole:
            return 0
        w = p[prefix + "w_c"].chunk(3)[gate]
        return w * cell if peephole == "diagonal" else w @ cell

    def step(value, state):
        h, c = state
        pre = p[prefix + "w_x"] @ value + p[prefix + "w_h"] @ h + p[prefix + "b"] + p.get(prefix + "b_h", 0)
        i, f, g, o = pre.chunk(4)
        new = torch.sigmoid(f + peep(1, c)) * c + torch.sigmoid(i + peep(0, c)) * torch.tanh(g)
        h = torch.sigmoid(o + peep(2, new if output == "current" else c)) * torch.tanh(new)
        return h, (h, new)

    hidden = p[prefix + "w_h"].shape[1]
    return scan(step, x, (zeros(hidden), zeros(hidden)), reverse)


def gru(p, prefix, x, reverse=False, after=True):
    def step(value, h):
        a_r, a_z, a_n = (p[prefix + "w_x"] @ value + p[prefix + "b"]).chunk(3)
        w_r, w_z, w_n = p[prefix + "w_h"].chunk(3)
        b_r, b_z, b_n = p[prefix + "b_h"].chunk(3) if after else (0, 0, 0)
        r = torch.sigmoid(a_r + w_r @ h + b_r)
        z = torch.sigmoid(a_z + w_z @ h + b_z)
        n = torch.tanh(a_n + r * (w_n @ h + b_n)) if after else torch.tanh(a_n + w_n @ (r * h))
        h = (1 - z) * n + z * h
        return h, h

    out = scan(step, x, zeros(p[prefix + "w_h"].shape[1]), reverse)
    if after:  # PyTorch's own says the same
        own = torch.nn.GRU(x.shape[1], out.shape[1], dtype=torch.float64)
        names = {"weight_ih_l0": "w_x", "weight_hh_l0": "w_h", "bias_ih_l0": "b", "bias_hh_l0": "b_h"}
        own.load_state_dict({k: p[prefix + v].detach() for k, v in names.items()})
        result = own(x.detach().flip(0) if reverse else x.detach())[0]
        assert torch.allclose(result.flip(0) if reverse else result, out, atol=1e-12)
    return out


def simple(p, prefix, x, reverse=False, activation=torch.tanh):
    def step(value, h):
        h = activation(p[prefix + "w_x"] @ value + p[prefix + "w_h"] @ h + p[prefix + "b"] + p.get(prefix + "b_h", 0))
        return h, h

    return scan(step, x, zeros(p[prefix + "w_h"].shape[1]), reverse)


def both(cell, p, name, x, **more):
    return torch.cat([cell(p, name + ".forward.", x, **more), cell(p, name + ".reversed.", x, True, **more)], 1)


def ends(y, hidden):  # last_pool of both directions
    return torch.cat([y[-1, :hidden], y[0, hidden:]])


def one_way(name, layer, cell, shape, **more):
    family.case(name + " (sequence)", {"inputs": SEQUENCE, "layers": [{"name": "l", "hidden": 3, **layer}]},
                blocks("l.forward.", INPUT, 3, *shape), per_item(lambda p, x: cell(p, "l.forward.", x, **more)), 4,
                LENGTHS, rate=0.5)


def stacked(name, layer, cell, shape, **more):
    family.case(name, {"inputs": SEQUENCE, "layers": [
        {"name": "l", "hidden": 3, "layers": 2, "bidirectional": True, **layer}, {"type": "last_pool"}]},
        {**blocks("l.stack0.forward.", INPUT, 3, *shape), **blocks("l.stack0.reversed.", INPUT, 3, *shape),
         **blocks("l.stack1.forward.", 6, 3, *shape), **blocks("l.stack1.reversed.", 6, 3, *shape)},
        per_item(lambda p, x: ends(both(cell, p, "l.stack1", both(cell, p, "l.stack0", x, **more), **more), 3)), 4,
        LENGTHS, rate=0.3)


for form, settings, shape, more in (
        ("two biases", {"bias": "double"}, (4, True), {}),
        ("diagonal peepholes", {"peephole": "diagonal"}, (4, False, "diagonal"), {"peephole": "diagonal"}),
        ("diagonal peepholes, output of the previous", {"peephole": "diagonal", "output_peephole": "previous",
                                                        "bias": "double"},
         (4, True, "diagonal"), {"peephole": "diagonal", "output": "previous"}),
        ("full peepholes", {"peephole": "full", "output_peephole": "current"}, (4, False, "full"), {"peephole": "full"}),
        ("full peepholes, output of the previous", {"peephole": "full", "output_peephole": "previous"},
         (4, False, "full"), {"peephole": "full", "output": "previous"})):
    one_way(f"lstm with {form}", {"type": "lstm", **settings}, lstm, shape, **more)
stacked("two bidirectional lstms with two biases", {"type": "lstm", "bias": "double"}, lstm, (4, True))
stacked("two bidirectional lstms with peepholes", {"type": "lstm", "peephole": "diagonal"}, lstm,
        (4, False, "diagonal"), peephole="diagonal")

one_way("gru", {"type": "gru"}, gru, (3, True))
one_way("gru with reset before", {"type": "gru", "reset_after": False}, gru, (3,), after=False)
stacked("two bidirectional grus", {"type": "gru"}, gru, (3, True))
stacked("two bidirectional grus with reset before", {"type": "gru", "reset_after": False}, gru, (3,), after=False)
one_way("simple_rnn", {"type": "simple_rnn"}, simple, (1,))
one_way("simple_rnn with relu and two biases", {"type": "simple_rnn", "activation": "relu", "bias": "double"}, simple,
        (1, True), activation=torch.relu)
stacked("two bidirectional simple_rnns", {"type": "simple_rnn"}, simple, (1,))


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


def ds_lstm(p, name, xs, ys, state, gates_normed=True, out_norm=None):
    """xs, ys: lists over the batch. Steps go side by side, for norms count those that are still running."""
    cell = name + (".cell" if out_norm else "")
    hidden = p[cell + ".x_candidate.b"].shape[0]
    h = [zeros(hidden) for _ in xs]
    c = list(h)
    rows = [[] for _ in xs]
    for t in range(max(map(len, xs))):
        running = [b for b in range(len(xs)) if len(xs[b]) > t]
        joined = torch.stack([torch.cat([xs[b][t], ys[b][t], h[b]]) for b in running])
        gates = torch.sigmoid(joined @ p[cell + ".gates.w"].T + p[cell + ".gates.b"])
        if gates_normed:
            gates = batch_norm(gates, p[cell + ".gate_norm.gamma"], p[cell + ".gate_norm.beta"], state,
                               cell + ".gate_norm", t)
        for b, row in zip(running, gates):
            f, i_x, o, i_y = row.chunk(4)
            of_x = torch.tanh(p[cell + ".x_candidate.w"] @ torch.cat([xs[b][t], h[b]]) + p[cell + ".x_candidate.b"])
            of_y = torch.tanh(p[cell + ".y_candidate.w"] @ torch.cat([ys[b][t], h[b]]) + p[cell + ".y_candidate.b"])
            c[b] = f * c[b] + i_x * of_x + i_y * of_y
            h[b] = o * torch.tanh(c[b])
            rows[b].append(h[b])
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


def ds_blocks(name, x, y, hidden, steps, gates_normed=True, out_norm=None):
    cell = name + (".cell" if out_norm else "")
    weights = {}
    for part, rows, columns in (("gates", 4 * hidden, x + y + hidden), ("x_candidate", hidden, x + hidden),
                                ("y_candidate", hidden, y + hidden)):
        weights |= {f"{cell}.{part}.w": (rows, columns), f"{cell}.{part}.b": (rows,)}
    state = {}
    norms = ([(cell + ".gate_norm", 4 * hidden, True)] if gates_normed else []) + (
        [(name + ".out_norm", hidden, out_norm == "per_step")] if out_norm else [])
    for norm, width, each in norms:
        weights |= {norm + ".gamma": (width,), norm + ".beta": (width,)}
        shape = (steps, width) if each else (width,)
        state |= {norm + ".running_mean": zeros(*shape), norm + ".running_variance": zeros(*shape) + 1}
    return weights, state


TWO = {**SEQUENCE, "y": {"kind": "sequence", "shape": 3}}
# Enough recordings at each step: norms of two or three values bend too much for single precision.
PAIRS = {"x": [5, 3, 5, 4, 5, 5, 5, 4, 5], "y": [6, 3, 5, 5, 5, 7, 5, 4, 5]}


def ds_case(name, settings, steps, layers=1, **more):
    weights, state = {}, {}
    for k in range(layers):
        stack = f"l.stack{k}" if layers > 1 else "l"
        w, s = ds_blocks(stack, INPUT if k == 0 else 3, 3, 3, steps, **more)
        weights, state = weights | w, state | s

    def forward(p, xs, state):
        ys = [y[:len(x)] for x, y in zip(xs["x"], xs["y"])]
        values = xs["x"]
        for k in range(layers):
            values = ds_lstm(p, f"l.stack{k}" if layers > 1 else "l", values, ys, state, **more)
        return values

    family.case(name + " (sequence)", {"inputs": TWO, "layers": [
        {"type": "match_steps", "name": "cut", "input": ["y", "x"]},
        {"type": "ds_lstm", "name": "l", "input": ["x", "cut"], "hidden": 3, **({"layers": layers} if layers > 1 else {}),
         **settings}]}, weights, forward, len(PAIRS["x"]), PAIRS, state=state, rate=0.02,
        scale={b: 0.2 for b in weights if b.endswith("gate_norm.gamma")})


ds_case("ds_lstm without norms", {"gate_norm": "none", "out_norm": "none"}, 0, gates_normed=False)
ds_case("ds_lstm with normed gates", {"out_norm": "none", "max_steps": 8}, 8)
ds_case("ds_lstm with normed gates and results", {"max_steps": 6}, 6, out_norm="bn")
ds_case("ds_lstm with results normed step by step", {"gate_norm": "none", "out_norm": "per_step", "max_steps": 7}, 7,
        gates_normed=False, out_norm="per_step")
ds_case("two ds_lstms", {"max_steps": 6}, 6, layers=2, out_norm="bn")


def conv_lstm(p, x, kernel):
    hidden = p["l.w_h"].shape[1]
    pad = ((kernel - 1) // 2, kernel // 2)

    def step(value, state):
        h, c = state
        pre = F.conv1d(F.pad(value, pad)[None], p["l.w_x"], p["l.b"])[0] + F.conv1d(F.pad(h, pad)[None], p["l.w_h"])[0]
        i, f, g, o = pre.chunk(4)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        return h, (h, c)

    return scan(step, x, (zeros(hidden, x.shape[2]), zeros(hidden, x.shape[2])))


for kernel, shape in ((3, [2, 5]), (4, [2, 5]), (1, [3, 2]), (5, [1, 4])):
    family.case(f"conv_lstm1d of kernel {kernel}", {
        "inputs": {"x": {"kind": "sequence", "shape": shape[0] * shape[1]}}, "layers": [
            *([{"type": "reshape", "shape": shape}] if shape[0] > 1 else []),
            {"type": "conv_lstm1d", "name": "l", "hidden": 3, "kernel": kernel}, {"type": "flatten"},
            {"type": "mean_pool"}]},
        {"l.w_x": (12, shape[0], kernel), "l.w_h": (12, 3, kernel), "l.b": (12,)},
        per_item(lambda p, x, kernel=kernel, shape=shape: conv_lstm(
            p, x.reshape(-1, *shape), kernel).flatten(1).mean(0)), 4, LENGTHS, rate=0.5)

if __name__ == "__main__":
    family.write()
