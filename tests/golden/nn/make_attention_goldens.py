#!/usr/bin/env python3
"""Goldens of layer norm, attention and transformers. Needs PyTorch; writes attention.json, attention.f32."""
import torch
import torch.nn.functional as F

from golden import Family

family = Family("attention")
VECTOR = {"x": {"kind": "vector", "shape": 5}}
SEQUENCE = {"x": {"kind": "sequence", "shape": 6}}
LENGTHS = {"x": [6, 2, 5, 1]}


def per_item(function):
    return lambda p, xs, state: [function(p, x) for x in xs["x"]]


family.case("layer norm of a vector", {"inputs": VECTOR, "layers": [
    {"type": "dense", "name": "d", "units": 37}, {"type": "layer_norm", "name": "n"},
    {"type": "dense", "name": "e", "units": 3}]},
    {"d.w": (37, 5), "d.b": (37,), "n.gamma": (37,), "n.beta": (37,), "e.w": (3, 37), "e.b": (3,)},
    per_item(lambda p, x: p["e.w"] @ F.layer_norm(p["d.w"] @ x + p["d.b"], (37,), p["n.gamma"], p["n.beta"]) + p["e.b"]))
family.case("layer norm (sequence)", {"inputs": SEQUENCE, "layers": [
    {"type": "dense", "name": "d", "units": 7}, {"type": "layer_norm", "affine": False, "epsilon": 0.25},
    {"type": "layer_norm", "name": "n"}]},
    {"d.w": (7, 6), "d.b": (7,), "n.gamma": (7,), "n.beta": (7,)},
    per_item(lambda p, x: F.layer_norm(F.layer_norm(x @ p["d.w"].T + p["d.b"], (7,), eps=0.25), (7,), p["n.gamma"],
                                       p["n.beta"])), 4, LENGTHS)
family.case("layer norm of images", {"inputs": {"x": {"kind": "image", "shape": [2, 3, 5]}}, "layers": [
    {"type": "layer_norm", "name": "n"}]}, {"n.gamma": (5,), "n.beta": (5,)},
    per_item(lambda p, x: F.layer_norm(x, (5,), p["n.gamma"], p["n.beta"])))

if __name__ == "__main__":
    family.write()
