#!/usr/bin/env python3
"""Goldens of how layers are joined, reshaped and normalised. Needs PyTorch; writes norm.json, .f32."""
import torch
import torch.nn.functional as F

from golden import Family

family = Family("norm")
VECTOR = {"x": {"kind": "vector", "shape": 6}}
IMAGE = {"x": {"kind": "image", "shape": [3, 4, 5]}}
SEQUENCE = {"x": {"kind": "sequence", "shape": 4}}
IMAGES = {"x": {"kind": "sequence", "shape": [2, 3, 4]}}
LENGTHS = {"x": [6, 2, 5, 1]}
LONGER = {"x": [9, 4, 6, 5]}


def per_item(function):
    return lambda p, xs, state: [function(p, x) for x in xs["x"]]


def dense(name, units, **more):
    return {"type": "dense", "name": name, "units": units, **more}


def dense_blocks(name, units, width):
    return {name + ".w": (units, width), name + ".b": (units,)}


def affine(p, name, x):
    return x @ p[name + ".w"].T + p[name + ".b"]


# --- several inputs

family.case("concat of vectors", {"inputs": VECTOR, "layers": [
    dense("d", 3), dense("e", 2, input="x"), {"type": "concat", "input": ["d", "x", "e", "d"]}]},
    {**dense_blocks("d", 3, 6), **dense_blocks("e", 2, 6)},
    per_item(lambda p, x: torch.cat([affine(p, "d", x), x, affine(p, "e", x), affine(p, "d", x)])))
family.case("concat of steps (sequence)", {"inputs": SEQUENCE, "layers": [
    dense("d", 3), {"type": "concat", "input": ["x", "d"]}]},
    dense_blocks("d", 3, 4), per_item(lambda p, x: torch.cat([x, affine(p, "d", x)], 1)), 4, LENGTHS)
for axis, other in ((0, [1, 4, 5]), (1, [3, 2, 5]), (2, [3, 4, 7])):
    family.case(f"concat of images along {axis}", {
        "inputs": {**IMAGE, "y": {"kind": "image", "shape": other}},
        "layers": [{"type": "concat", "input": ["x", "y", "x"], **({"axis": axis} if axis else {})}]}, {},
        lambda p, xs, state, axis=axis: [torch.cat([x, y, x], axis) for x, y in zip(xs["x"], xs["y"])])
family.case("add", {"inputs": SEQUENCE, "layers": [
    dense("d", 4), dense("e", 4), {"type": "add", "input": ["d", "x", "e", "d"]}, {"type": "add", "input": ["x", "layer2"]},
    {"type": "mean_pool"}]},
    {**dense_blocks("d", 4, 4), **dense_blocks("e", 4, 4)},
    per_item(lambda p, x: (2 * affine(p, "d", x) + 2 * x + affine(p, "e", affine(p, "d", x))).mean(0)), 4, LENGTHS)
family.case("multiply of steps (sequence)", {"inputs": SEQUENCE, "layers": [
    dense("d", 4), {"type": "multiply", "input": ["d", "x"]}]},
    dense_blocks("d", 4, 4), per_item(lambda p, x: affine(p, "d", x) * x), 4, LENGTHS)
family.case("multiply of three", {"inputs": VECTOR, "layers": [
    dense("d", 6), {"type": "multiply", "input": ["d", "x", "x"]}]},
    dense_blocks("d", 6, 6), per_item(lambda p, x: affine(p, "d", x) * x * x))
family.case("multiply of steps by a vector (sequence)", {
    "inputs": {**SEQUENCE, "y": {"kind": "vector", "shape": 5}}, "layers": [
        dense("d", 4, input="y"), {"type": "multiply", "input": ["d", "x"]}]},
    dense_blocks("d", 4, 5),
    lambda p, xs, state: [affine(p, "d", y) * x for x, y in zip(xs["x"], xs["y"])], 4, LENGTHS)
family.case("multiply of images by channels", {
    "inputs": {**IMAGE, "y": {"kind": "vector", "shape": 5}}, "layers": [
        dense("d", 3, input="y"), {"type": "multiply", "input": ["x", "d"]}]},
    dense_blocks("d", 3, 5),
    lambda p, xs, state: [affine(p, "d", y)[:, None, None] * x for x, y in zip(xs["x"], xs["y"])])
family.case("multiply of image steps by their channels, and by one vector", {
    "inputs": {**IMAGES, "y": {"kind": "vector", "shape": 2}}, "layers": [
        {"type": "flatten", "input": "x"}, dense("d", 2), {"type": "multiply", "input": ["x", "d"]},
        {"type": "multiply", "input": ["y", "layer2"]}, {"type": "flatten"}, {"type": "mean_pool"}]},
    dense_blocks("d", 2, 24),
    lambda p, xs, state: [
        (affine(p, "d", x.flatten(1))[:, :, None, None] * y[None, :, None, None] * x).flatten(1).mean(0)
        for x, y in zip(xs["x"], xs["y"])], 4, LENGTHS)

# --- shapes

family.case("flatten", {"inputs": IMAGE, "layers": [{"type": "flatten"}, dense("d", 4)]}, dense_blocks("d", 4, 60),
            per_item(lambda p, x: affine(p, "d", x.flatten())))
family.case("reshape and permute", {"inputs": VECTOR, "layers": [
    dense("d", 24), {"type": "reshape", "shape": [2, -1, 4]}, {"type": "permute", "axes": [1, 2, 0]}]},
    dense_blocks("d", 24, 6), per_item(lambda p, x: affine(p, "d", x).reshape(2, 3, 4).permute(1, 2, 0)))
family.case("permute of image steps (sequence)", {"inputs": IMAGES, "layers": [
    {"type": "permute", "axes": [2, 0, 1]}, {"type": "flatten"}, dense("d", 3)]},
    dense_blocks("d", 3, 24), per_item(lambda p, x: affine(p, "d", x.permute(0, 3, 1, 2).flatten(1))), 4, LENGTHS)
for axis, order in (("width", (2, 0, 1)), ("height", (1, 0, 2))):
    family.case(f"to_sequence along the {axis} (sequence)", {"inputs": IMAGE, "layers": [
        {"type": "to_sequence", **({"axis": axis} if axis == "height" else {})},
        dense("d", 4)]}, dense_blocks("d", 4, 12 if axis == "width" else 15),
        per_item(lambda p, x, order=order: affine(p, "d", x.permute(*order).flatten(1))))
    back = {"width": (1, 2, 0), "height": (1, 0, 2)}[axis]
    family.case(f"to_image along the {axis}", {"inputs": IMAGE, "layers": [
        {"type": "to_sequence"}, dense("d", 6), {"type": "to_image", "axis": axis, "channels": 2}]},
        dense_blocks("d", 6, 12), per_item(lambda p, x, back=back: affine(
            p, "d", x.permute(2, 0, 1).flatten(1)).reshape(5, 2, 3).permute(*back)))
family.case("to_sequence of a vector (sequence)", {"inputs": VECTOR, "layers": [{"type": "to_sequence"}, dense("d", 3)]},
            dense_blocks("d", 3, 1), per_item(lambda p, x: affine(p, "d", x[:, None])))
for mode in ("bilinear", "nearest"):
    for size in ([4, 5], [7, 3], [3, 13]):
        settings = {"align_corners": False} if mode == "bilinear" else {}
        family.case(f"resize {mode} to {size}", {"inputs": IMAGE, "layers": [
            {"type": "resize", "size": size, **({"method": mode} if mode == "nearest" else {})}]}, {},
            per_item(lambda p, x, mode=mode, size=size, settings=settings: F.interpolate(
                x[None], size=size, mode=mode, **settings)[0]))
family.case("resize of image steps", {"inputs": IMAGES, "layers": [
    {"type": "resize", "size": [2, 6]}, {"type": "flatten"}, {"type": "mean_pool"}]}, {},
    per_item(lambda p, x: F.interpolate(x, size=[2, 6], mode="bilinear", align_corners=False).flatten(1).mean(0)), 4,
    LENGTHS)

# --- steps

for step in (0, 1, -1, -3):
    family.case(f"select_step {step}", {"inputs": SEQUENCE, "layers": [
        dense("d", 3), {"type": "select_step", "step": step}]},
        dense_blocks("d", 3, 4), per_item(lambda p, x, step=step: affine(p, "d", x)[step]), 4, LONGER)
family.case("match_steps (sequence)", {"inputs": {**SEQUENCE, "y": {"kind": "sequence", "shape": 2}}, "layers": [
    dense("d", 3, input="y"), {"type": "match_steps", "name": "m", "input": ["d", "x"]},
    {"type": "concat", "input": ["m", "x"]}]}, dense_blocks("d", 3, 2),
    lambda p, xs, state: [torch.cat([affine(p, "d", y)[:len(x)], x], 1) for x, y in zip(xs["x"], xs["y"])], 4,
    {"x": [6, 2, 5, 1], "y": [8, 9, 5, 3]})


def aligned(x):
    return torch.stack([x[2 * i:2 * i + 3].mean(0) for i in range(len(x) // 2 - 1)])


family.case("align_pairwise (sequence)", {"inputs": SEQUENCE, "layers": [
    dense("d", 3), {"type": "align_pairwise"}]},
    dense_blocks("d", 3, 4), per_item(lambda p, x: aligned(affine(p, "d", x))), 4, LONGER)

if __name__ == "__main__":
    family.write()
