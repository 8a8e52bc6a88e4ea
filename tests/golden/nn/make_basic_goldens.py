#!/usr/bin/env python3
"""Goldens of dense, activations, LSTM, pools, and how layers are put together. Needs PyTorch; writes basic.json, .f32."""
import torch
import torch.nn.functional as F

from golden import Family

family = Family("basic")
VECTOR = {"x": {"kind": "vector", "shape": 5}}
SEQUENCE = {"x": {"kind": "sequence", "shape": 4}}
LENGTHS = {"x": [6, 2, 5, 1]}
ACTIVATIONS = {"none": lambda x: x, "relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "elu": F.elu,
               "leaky_relu": lambda x: F.leaky_relu(x, 0.01), "gelu": F.gelu}


def per_item(function):
    return lambda p, xs, state: [function(p, x) for x in xs["x"]]


for name, function in ACTIVATIONS.items():
    inner = "d.linear" if name == "gelu" else "d"
    family.case(f"dense {name}", {"inputs": VECTOR, "layers": [
        {"type": "dense", "name": "d", "units": 7, "activation": name}, {"type": "dense", "name": "e", "units": 3}]},
        {inner + ".w": (7, 5), inner + ".b": (7,), "e.w": (3, 7), "e.b": (3,)},
        per_item(lambda p, x: p["e.w"] @ function(p[inner + ".w"] @ x + p[inner + ".b"]) + p["e.b"]), rate=0.2)
    if name != "none":
        family.case(f"activation {name}", {"inputs": VECTOR, "layers": [
            {"type": "dense", "name": "d", "units": 6}, {"type": "activation", "function": name, "slope": 0.3,
                                                         "alpha": 1.5}]},
            {"d.w": (6, 5), "d.b": (6,)},
            per_item(lambda p, x: {"leaky_relu": lambda v: F.leaky_relu(v, 0.3), "elu": lambda v: F.elu(v, 1.5)}.get(
                name, function)(p["d.w"] @ x + p["d.b"])), rate=0.2)

for logarithm in (False, True):
    family.case(f"softmax {logarithm}", {"inputs": VECTOR, "layers": [
        {"type": "dense", "name": "d", "units": 7, "bias": False}, {"type": "softmax", "logarithm": logarithm}]},
        {"d.w": (7, 5)},
        per_item(lambda p, x: (F.log_softmax if logarithm else F.softmax)(p["d.w"] @ x, dim=0)), rate=0.2)


def lstm(p, prefix, x, reverse=False):
    hidden = p[prefix + "w_h"].shape[1]
    h = c = torch.zeros(hidden, dtype=torch.float64)
    rows = []
    for step in (x.flip(0) if reverse else x):
        i, f, g, o = (p[prefix + "w_x"] @ step + p[prefix + "w_h"] @ h + p[prefix + "b"]).chunk(4)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        rows.append(h)
    out = torch.stack(rows)
    return out.flip(0) if reverse else out


def lstm_blocks(prefix, inputs, hidden):
    return {prefix + "w_x": (4 * hidden, inputs), prefix + "w_h": (4 * hidden, hidden), prefix + "b": (4 * hidden,)}


def both(p, name, x):
    return torch.cat([lstm(p, name + ".forward.", x), lstm(p, name + ".reversed.", x, True)], dim=1)


family.case("lstm (sequence)", {"inputs": SEQUENCE, "layers": [{"type": "lstm", "name": "l", "hidden": 3}]},
            lstm_blocks("l.forward.", 4, 3), per_item(lambda p, x: lstm(p, "l.forward.", x)), 4, LENGTHS, rate=0.5)
family.case("two bidirectional lstms, last step", {"inputs": SEQUENCE, "layers": [
    {"type": "lstm", "name": "l", "hidden": 3, "layers": 2, "bidirectional": True}, {"type": "last_pool"}]},
    {**lstm_blocks("l.stack0.forward.", 4, 3), **lstm_blocks("l.stack0.reversed.", 4, 3),
     **lstm_blocks("l.stack1.forward.", 6, 3), **lstm_blocks("l.stack1.reversed.", 6, 3)},
    per_item(lambda p, x: (lambda y: torch.cat([y[-1, :3], y[0, 3:]]))(both(p, "l.stack1", both(p, "l.stack0", x)))),
    4, LENGTHS, rate=0.5)


def attention(p, x):
    scores = torch.tanh(x @ p["a.w"].T + p["a.b"]) @ p["a.v"][0]
    return torch.softmax(scores, 0) @ x


family.case("attention and mean of one dense layer", {"inputs": SEQUENCE, "layers": [
    {"type": "dense", "name": "d", "units": 6, "activation": "tanh"},
    {"type": "attention_pool", "name": "a", "units": 5}, {"type": "mean_pool", "name": "m", "input": "d"},
    {"type": "dense", "name": "e", "units": 3, "input": "a"}, {"type": "dense", "units": 3, "weights_of": "e", "input": "m"}],
    "outputs": ["layer4"]},
    {"d.w": (6, 4), "d.b": (6,), "a.w": (5, 6), "a.b": (5,), "a.v": (1, 5), "e.w": (3, 6), "e.b": (3,)},
    per_item(lambda p, x: p["e.w"] @ torch.tanh(x @ p["d.w"].T + p["d.b"]).mean(0) + p["e.b"]), 4, LENGTHS, rate=0.5)

if __name__ == "__main__":
    family.write()
