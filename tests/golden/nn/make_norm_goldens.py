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

# --- normalising


def batch_norm(p, values, state, name="n", epsilon=1e-5, momentum=0.1, unbiased=True):
    """values: list over the batch; all of one channel, over every item and step, have one mean and variance."""
    joined = torch.stack(values) if values[0].dim() in (1, 3) else torch.cat(values)
    mean, variance = running(state, name, joined, momentum, unbiased)
    shape = [-1] + [1] * (joined.dim() - 2)
    out = (joined - mean.view(shape)) / torch.sqrt(variance.view(shape) + epsilon)
    out = out * p.get(name + ".gamma", torch.ones(mean.numel())).view(shape)
    out = out + p.get(name + ".beta", torch.zeros(mean.numel())).view(shape)
    if unbiased and joined.numel() > joined.shape[1]:  # PyTorch's own says the same
        blocks = {k: p[name + "." + k] for k in ("gamma", "beta") if name + "." + k in p}
        own = F.batch_norm(joined, None, None, blocks.get("gamma"), blocks.get("beta"), True, momentum, epsilon)
        assert torch.allclose(own, out, atol=1e-12)
    return list(out) if values[0].dim() in (1, 3) else list(out.split([len(v) for v in values]))


def running(state, name, joined, momentum, unbiased, step=None):
    """Mean and variance of joined [items, channels, ...]; moves the running ones."""
    axes = [0] + list(range(2, joined.dim()))
    mean, variance = joined.mean(axes), joined.var(axes, unbiased=False)
    n = joined.numel() / joined.shape[1]
    new = {"running_mean": mean, "running_variance": variance * n / (n - 1) if unbiased and n > 1 else variance}
    for key, value in new.items():
        if key == "running_variance" and unbiased and n == 1:
            continue
        kept = state[name + "." + key].clone()
        place = slice(None) if step is None else step
        kept[place] = kept[place] + momentum * (value.detach() - kept[place])
        state[name + "." + key] = kept
    return mean, variance


def statistics(channels, steps=None, name="n"):
    shape = (channels,) if steps is None else (steps, channels)
    return {name + ".running_mean": family.draw(shape), name + ".running_variance": abs(family.draw(shape)) + 0.5}


def norm(**more):
    return {"type": "batch_norm", "name": "n", **more}


BOTH = {"n.gamma": (3,), "n.beta": (3,)}
SCALE = {"n.gamma": 1.0, "n.beta": 1.0}
family.case("batch_norm of images", {"inputs": IMAGE, "layers": [norm()]}, BOTH,
            lambda p, xs, state: batch_norm(p, xs["x"], state), state=statistics(3), scale=SCALE)
for activation, function in (("relu", torch.relu), ("tanh", torch.tanh), ("gelu", F.gelu)):
    inner = "n.linear" if activation == "gelu" else "n"
    family.case(f"batch_norm of images with {activation}", {"inputs": IMAGE, "layers": [norm(activation=activation)]},
                {inner + ".gamma": (3,), inner + ".beta": (3,)},
                lambda p, xs, state, f=function, name=inner: [f(y) for y in batch_norm(p, xs["x"], state, name)],
                state=statistics(3, name=inner), scale={inner + ".gamma": 1.0, inner + ".beta": 1.0})
family.case("batch_norm of vectors, as Keras", {"inputs": VECTOR, "layers": [
    dense("d", 5), norm(epsilon=1e-3, momentum=0.01, unbiased_running=False), dense("e", 2)]},
    {**dense_blocks("d", 5, 6), "n.gamma": (5,), "n.beta": (5,), **dense_blocks("e", 2, 5)},
    lambda p, xs, state: [affine(p, "e", y) for y in batch_norm(
        p, [affine(p, "d", x) for x in xs["x"]], state, epsilon=1e-3, momentum=0.01, unbiased=False)],
    batch=7, state=statistics(5), scale=SCALE)
family.case("batch_norm without scale", {"inputs": VECTOR, "layers": [norm(scale=False, momentum=0.5)]},
            {"n.beta": (6,)}, lambda p, xs, state: batch_norm(p, xs["x"], state, momentum=0.5), batch=4,
            state=statistics(6), scale=SCALE)
family.case("batch_norm without offset", {"inputs": VECTOR, "layers": [norm(offset=False)]}, {"n.gamma": (6,)},
            lambda p, xs, state: batch_norm(p, xs["x"], state), batch=4, state=statistics(6), scale=SCALE)
family.case("batch_norm without either", {"inputs": VECTOR, "layers": [
    dense("d", 5), norm(offset=False, scale=False)]}, dense_blocks("d", 5, 6),
    lambda p, xs, state: batch_norm(p, [affine(p, "d", x) for x in xs["x"]], state), batch=5, state=statistics(5))
family.case("batch_norm of one vector", {"inputs": VECTOR, "layers": [dense("d", 5), norm()]},
            {**dense_blocks("d", 5, 6), "n.gamma": (5,), "n.beta": (5,)},
            lambda p, xs, state: batch_norm(p, [affine(p, "d", x) for x in xs["x"]], state), batch=1,
            state=statistics(5), scale=SCALE)
family.case("batch_norm of steps (sequence)", {"inputs": SEQUENCE, "layers": [dense("d", 3), norm()]},
            {**dense_blocks("d", 3, 4), **BOTH},
            lambda p, xs, state: batch_norm(p, [affine(p, "d", x) for x in xs["x"]], state), 4, LENGTHS,
            state=statistics(3), scale=SCALE)
family.case("batch_norm of image steps", {"inputs": IMAGES, "layers": [
    norm(activation="sigmoid"), {"type": "flatten"}, {"type": "mean_pool"}]}, {"n.gamma": (2,), "n.beta": (2,)},
    lambda p, xs, state: [torch.sigmoid(y).flatten(1).mean(0) for y in batch_norm(p, xs["x"], state)], 4, LENGTHS,
    state=statistics(2), scale=SCALE)


def batch_norm_of_steps(p, values, state, epsilon=1e-5):
    """Each step by itself, over the recordings that reach it."""
    out = [[] for _ in values]
    for t in range(max(map(len, values))):
        there = [i for i, v in enumerate(values) if len(v) > t]
        joined = torch.stack([values[i][t] for i in there])
        mean, variance = running(state, "n", joined, 0.1, True, t)
        shape = [-1] + [1] * (joined.dim() - 2)
        y = (joined - mean.view(shape)) / torch.sqrt(variance.view(shape) + epsilon)
        for i, row in zip(there, y * p["n.gamma"].view(shape) + p["n.beta"].view(shape)):
            out[i].append(row)
    return [torch.stack(rows) for rows in out]


family.case("batch_norm of each step (sequence)", {"inputs": SEQUENCE, "layers": [
    dense("d", 3), norm(per_step=True, max_steps=8)]}, {**dense_blocks("d", 3, 4), **BOTH},
    lambda p, xs, state: batch_norm_of_steps(p, [affine(p, "d", x) for x in xs["x"]], state), 4, LENGTHS,
    state=statistics(3, 8), scale=SCALE)
family.case("batch_norm of each image step", {"inputs": IMAGES, "layers": [
    norm(per_step=True, max_steps=6), {"type": "flatten"}, {"type": "mean_pool"}]},
    {"n.gamma": (2,), "n.beta": (2,)},
    lambda p, xs, state: [y.flatten(1).mean(0) for y in batch_norm_of_steps(p, xs["x"], state)], 4, LENGTHS,
    state=statistics(2, 6), scale=SCALE)
family.case("batch_norm of each of the steps that there always are", {"inputs": IMAGE, "layers": [
    {"type": "to_sequence"}, norm(per_step=True), {"type": "mean_pool"}]}, {"n.gamma": (12,), "n.beta": (12,)},
    lambda p, xs, state: [y.mean(0) for y in batch_norm_of_steps(
        p, [x.permute(2, 0, 1).flatten(1) for x in xs["x"]], state)], 4, state=statistics(12, 5), scale=SCALE)


def frozen(p, x, state):
    shape = [-1] + [1] * (x.dim() - 1)
    inverse = 1 / torch.sqrt(state["n.running_variance"] + 1e-5)
    return (x - state["n.running_mean"].view(shape)) * inverse.view(shape)


family.case("batch_norm frozen", {"inputs": VECTOR, "layers": [
    dense("d", 5), norm(frozen=True, scale=False, offset=False), dense("e", 2)]},
    {**dense_blocks("d", 5, 6), **dense_blocks("e", 2, 5)},
    lambda p, xs, state: [affine(p, "e", frozen(p, affine(p, "d", x), state)) for x in xs["x"]], state=statistics(5))
for settings in ({}, {"size": 4, "alpha": 0.5, "beta": 0.6, "k": 2}, {"size": 2, "alpha": 2}):
    given = {"size": 5, "alpha": 1e-4, "beta": 0.75, "k": 1, **settings}
    family.case(f"local_response_norm {settings}", {
        "inputs": {"x": {"kind": "image", "shape": [7, 2, 3]}},
        "layers": [{"type": "local_response_norm", **settings}]}, {},
        per_item(lambda p, x, given=given: F.local_response_norm(x[None], **given)[0]))
family.case("local_response_norm of steps (sequence)", {"inputs": SEQUENCE, "layers": [
    dense("d", 5), {"type": "local_response_norm", "size": 3, "alpha": 0.3}]}, dense_blocks("d", 5, 4),
    per_item(lambda p, x: F.local_response_norm(affine(p, "d", x)[:, :, None], 3, 0.3)[:, :, 0]), 4, LENGTHS)

# --- layers made of others


class Maker:
    """The blocks and statistics of a composite, listed as its reference function is written."""

    def __init__(self):
        self.blocks, self.state, self.scale = {}, {}, {}

    def conv(self, name, out, inputs, kernel, bias=False):
        self.blocks[name + ".w"] = (out, inputs, kernel, kernel)
        if bias:
            self.blocks[name + ".b"] = (out,)

    def norm(self, name, channels):
        self.blocks.update({name + ".gamma": (channels,), name + ".beta": (channels,)})
        self.scale.update({name + ".gamma": 1.0, name + ".beta": 1.0})
        self.state.update(statistics(channels, name=name))

    def case(self, name, network, forward, **more):
        family.case(name, network, self.blocks, forward, state=self.state, scale=self.scale, **more)


def norm_of(p, x, state, name):
    return torch.stack(batch_norm(p, list(x), state, name))


def whole(function):
    return lambda p, xs, state: list(function(p, torch.stack(xs["x"]), state))


def residual(p, x, state, stride, dilation, activation, name="r"):
    pad = dilation * (p[name + ".conv1.w"].shape[-1] - 1) // 2
    y = F.conv2d(x, p[name + ".conv1.w"], stride=stride, padding=pad, dilation=dilation)
    y = activation(norm_of(p, y, state, name + ".norm1"))
    y = norm_of(p, F.conv2d(y, p[name + ".conv2.w"], padding=pad, dilation=dilation), state, name + ".norm2")
    if name + ".shortcut.w" in p:
        x = norm_of(p, F.conv2d(x, p[name + ".shortcut.w"], stride=stride), state, name + ".shortcut_norm")
    return activation(x + y)


for name, settings, out, kernel, stride, dilation in (("as large", {}, 3, 3, 1, 1),
                                                      ("smaller", {"channels": 4, "stride": 2}, 4, 3, 2, 1),
                                                      ("dilated", {"kernel": 3, "dilation": 2, "activation": "tanh"}, 3, 3, 1, 2),
                                                      ("larger kernel", {"channels": 2, "kernel": 5}, 2, 5, 1, 1)):
    maker = Maker()
    maker.conv("r.conv1", out, 3, kernel)
    maker.norm("r.norm1", out)
    maker.conv("r.conv2", out, out, kernel)
    maker.norm("r.norm2", out)
    if out != 3 or stride > 1:
        maker.conv("r.shortcut", out, 3, 1)
        maker.norm("r.shortcut_norm", out)
    maker.case(f"residual_block {name}", {"inputs": IMAGE, "layers": [
        {"type": "residual_block", "name": "r", **settings}, {"type": "flatten"}]},
        whole(lambda p, x, state, stride=stride, dilation=dilation, f=torch.tanh if "activation" in settings else torch.relu:
              residual(p, x, state, stride, dilation, f).flatten(1)))


def excited(p, mean):
    return torch.sigmoid(affine(p, "e.excite", torch.relu(affine(p, "e.squeeze", mean))))


def excitation_blocks(channels, between):
    return {**dense_blocks("e.squeeze", between, channels), **dense_blocks("e.excite", channels, between)}


family.case("squeeze_excitation of images", {"inputs": {"x": {"kind": "image", "shape": [5, 2, 3]}}, "layers": [
    {"type": "squeeze_excitation", "name": "e", "ratio": 2}]}, excitation_blocks(5, 2),
    per_item(lambda p, x: x * excited(p, x.mean((1, 2)))[:, None, None]))
family.case("squeeze_excitation of steps (sequence)", {"inputs": SEQUENCE, "layers": [
    {"type": "squeeze_excitation", "name": "e"}]}, excitation_blocks(4, 1),
    per_item(lambda p, x: x * excited(p, x.mean(0))), 4, LENGTHS)


def dense_layers(p, x, state, prefix, count, bottleneck=True):
    for i in range(1, count + 1):
        layer = f"{prefix}layer{i}."
        y = torch.relu(norm_of(p, x, state, layer + "norm1"))
        if bottleneck:
            y = torch.relu(norm_of(p, F.conv2d(y, p[layer + "conv1.w"]), state, layer + "norm2"))
        x = torch.cat([x, F.conv2d(y, p[layer + "conv2.w"], padding=1)], 1)
    return x


def dense_layer_blocks(maker, prefix, count, channels, growth, bottleneck):
    for i in range(1, count + 1):
        layer, width = f"{prefix}layer{i}.", channels + (i - 1) * growth
        maker.norm(layer + "norm1", width)
        if bottleneck:
            maker.conv(layer + "conv1", bottleneck * growth, width, 1)
            maker.norm(layer + "norm2", bottleneck * growth)
            width = bottleneck * growth
        maker.conv(layer + "conv2", growth, width, 3)
    return channels + count * growth


def thinned(p, x, state, prefix):
    y = torch.relu(norm_of(p, x, state, prefix + "norm"))
    return F.avg_pool2d(F.conv2d(y, p[prefix + "conv.w"]), 2)


for bottleneck in (2, 0):
    maker = Maker()
    dense_layer_blocks(maker, "d.", 2, 3, 2, bottleneck)
    maker.case(f"dense_block with bottleneck {bottleneck}", {"inputs": IMAGE, "layers": [
        {"type": "dense_block", "name": "d", "layers": 2, "growth": 2, "bottleneck": bottleneck}]},
        whole(lambda p, x, state, bottleneck=bottleneck: dense_layers(p, x, state, "d.", 2, bottleneck > 0)))
maker = Maker()
maker.norm("t.norm", 3)
maker.conv("t.conv", 2, 3, 1)
maker.case("transition", {"inputs": IMAGE, "layers": [{"type": "transition", "name": "t", "compression": 0.7}]},
           whole(lambda p, x, state: thinned(p, x, state, "t.")))


def densenet(p, x, state, blocks):
    x = torch.relu(norm_of(p, F.conv2d(x, p["n.conv0.w"], stride=2, padding=3), state, "n.norm0"))
    x = F.max_pool2d(x, 3, 2, 1)
    for i, count in enumerate(blocks, 1):
        x = dense_layers(p, x, state, f"n.block{i}.", count)
        if i < len(blocks):
            x = thinned(p, x, state, f"n.transition{i}.")
    return torch.relu(norm_of(p, x, state, "n.norm5")).mean((2, 3))


maker = Maker()
maker.conv("n.conv0", 3, 1, 7)
maker.norm("n.norm0", 3)
width = 3
for i, count in enumerate((2, 1), 1):
    width = dense_layer_blocks(maker, f"n.block{i}.", count, width, 2, 4)
    if i == 1:
        maker.norm("n.transition1.norm", width)
        maker.conv("n.transition1.conv", width // 2, width, 1)
        width //= 2
maker.norm("n.norm5", width)
maker.case("a small densenet121", {"inputs": {"x": {"kind": "image", "shape": [1, 14, 17]}}, "layers": [
    {"type": "densenet121", "name": "n", "blocks": [2, 1], "growth": 2, "first": 3}]},
    whole(lambda p, x, state: densenet(p, x, state, (2, 1))))


def vgg(p, x, state):
    for block, count in enumerate((2, 2, 3, 3, 3), 1):
        for i in range(1, count + 1):
            x = torch.relu(F.conv2d(x, p[f"v.conv{block}_{i}.w"], p[f"v.conv{block}_{i}.b"], padding=1))
        x = F.max_pool2d(x, 2)
    return x


maker = Maker()
width, out = 1, 1
for block, count in enumerate((2, 2, 3, 3, 3), 1):
    for i in range(1, count + 1):
        maker.conv(f"v.conv{block}_{i}", out, width, 3, bias=True)
        maker.scale[f"v.conv{block}_{i}.w"] = 1.5 / (3 * width ** 0.5)
        width = out
    out = min(2 * out, 8)
maker.case("a narrow vgg16", {"inputs": {"x": {"kind": "image", "shape": [1, 33, 32]}}, "layers": [
    {"type": "vgg16", "name": "v", "width": 1}]}, whole(vgg), batch=2)

# --- parts of items

family.case("slice of vectors", {"inputs": VECTOR, "layers": [
    dense("d", 5), {"type": "slice", "start": 1, "size": 3}]}, dense_blocks("d", 5, 6),
    per_item(lambda p, x: affine(p, "d", x)[1:4]))
family.case("slices of channels, overlapping", {"inputs": IMAGE, "layers": [
    {"type": "slice", "name": "a", "input": "x", "size": 2}, {"type": "slice", "name": "b", "input": "x", "start": 1, "size": 2},
    {"type": "add", "input": ["a", "b"]}, {"type": "flatten"}, dense("d", 3)]}, dense_blocks("d", 3, 40),
    per_item(lambda p, x: affine(p, "d", (x[:2] + x[1:3]).flatten())))
family.case("slice of steps (sequence)", {"inputs": SEQUENCE, "layers": [
    dense("d", 4), {"type": "slice", "start": 2, "size": 2}]}, dense_blocks("d", 4, 4),
    per_item(lambda p, x: affine(p, "d", x)[:, 2:]), 4, LENGTHS)

# --- segments; last, so that the numbers of the cases before are what they were


def segments(x, frames, shift, pad):
    """Stretches of a sequence, the last one filled with zeros (or left out), at least one."""
    starts = [s for s in range(0, len(x), shift) if s + frames <= len(x)] or [0]
    if pad and starts[-1] + frames < len(x):
        starts.append(starts[-1] + shift)
    x = F.pad(x, (0, 0, 0, frames + shift))
    return torch.stack([x[s:s + frames] for s in starts])


for frames, shift, pad in ((3, 2, True), (3, 2, False), (5, 0, True), (2, 1, False)):
    family.case(f"segments of {frames} (sequence)" + ("" if pad else f", shift {shift}, no tail"), {
        "inputs": SEQUENCE, "layers": [
            dense("d", 3), {"type": "segments", "frames": frames, **({"shift": shift} if shift else {}),
                            **({} if pad else {"tail": "drop"})}, {"type": "flatten"}, dense("e", 2)]},
        {**dense_blocks("d", 3, 4), **dense_blocks("e", 2, 3 * frames)},
        per_item(lambda p, x, frames=frames, shift=shift or (frames + 1) // 2, pad=pad: affine(
            p, "e", segments(affine(p, "d", x), frames, shift, pad).flatten(1))), 4, {"x": [9, 2, 6, 5]})

# --- images of one value a channel, times their channels: the gate has as many values as what it gates

family.case("multiply of images of one value a channel", {
    "inputs": {"x": {"kind": "image", "shape": [6, 1, 1]}}, "layers": [
        {"type": "flatten", "input": "x"}, dense("d", 6), {"type": "multiply", "input": ["x", "d"]}]},
    dense_blocks("d", 6, 6), per_item(lambda p, x: affine(p, "d", x.flatten())[:, None, None] * x))
family.case("multiply of image steps of one value a channel", {
    "inputs": {"x": {"kind": "sequence", "shape": [6, 1, 1]}, "y": {"kind": "vector", "shape": 6}}, "layers": [
        {"type": "flatten", "input": "x"}, dense("d", 6), {"type": "multiply", "input": ["x", "d"]},
        {"type": "multiply", "input": ["y", "layer2"]}, {"type": "flatten"}]},
    dense_blocks("d", 6, 6),
    lambda p, xs, state: [affine(p, "d", x.flatten(1)) * y * x.flatten(1) for x, y in zip(xs["x"], xs["y"])], 4, LENGTHS)

if __name__ == "__main__":
    family.write()
