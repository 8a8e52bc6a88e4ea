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

family.case("a slice of both directions, last step", {"inputs": SEQUENCE, "layers": [
    {"type": "simple_rnn", "name": "l", "hidden": 3, "bidirectional": True},
    {"type": "slice", "start": 2, "size": 3}, {"type": "last_pool"}]},
    {**blocks("l.forward.", INPUT, 3, 1), **blocks("l.reversed.", INPUT, 3, 1)},
    per_item(lambda p, x: ends(both(simple, p, "l", x), 3)[2:5]), 4, LENGTHS, rate=0.5)

if __name__ == "__main__":
    family.write()
