#!/usr/bin/env python3
"""Goldens of convolutions and of pools with windows. Needs PyTorch; writes conv.json, conv.f32."""
import torch
import torch.nn.functional as F

from golden import Family

family = Family("conv")
ACTIVATIONS = {"none": lambda x: x, "relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "elu": F.elu,
               "leaky_relu": lambda x: F.leaky_relu(x, 0.01), "gelu": F.gelu}


def pair(value):
    return [value, value] if isinstance(value, int) else value


def same(size, kernel, stride, dilation):
    """Zeros before and behind, as Keras: an odd one behind."""
    missing = max((-(-size // stride) - 1) * stride + dilation * (kernel - 1) + 1 - size, 0)
    return missing // 2, missing - missing // 2


def sides(padding, size, kernel, stride, dilation):
    """[(before, behind)] of each axis."""
    axes = len(size)
    if padding == "same":
        return [same(*each) for each in zip(size, kernel, stride, dilation)]
    if padding == "valid":
        padding = 0
    if isinstance(padding, int):
        padding = [padding] * axes
    if len(padding) == 2 * axes:
        return list(zip(padding[::2], padding[1::2]))
    return [(p, p) for p in padding]


def pad(x, around, value=0.0):
    flat = [p for before_behind in reversed(around) for p in before_behind]
    return F.pad(x, flat, value=value)


def conv2d(p, x, layer, bias):
    kernel, stride, dilation = (pair(layer.get(k, d)) for k, d in (("kernel", 3), ("stride", 1), ("dilation", 1)))
    x = pad(x, sides(layer.get("padding", "valid"), x.shape[-2:], kernel, stride, dilation))
    y = F.conv2d(x[None], p["w"], p["b"] if bias else None, stride, 0, dilation, layer.get("groups", 1))[0]
    return ACTIVATIONS[layer.get("activation", "none")](y)


def images(name, shape, layer, batch=2, lengths=None, tolerance=2e-5):
    layer = {"type": "conv2d", "name": "c", **layer}
    inner = "c.linear" if layer.get("activation") == "gelu" else "c"
    bias = layer.get("bias", True)
    blocks = {inner + ".w": (layer["channels"], shape[0] // layer.get("groups", 1), *pair(layer.get("kernel", 3)))}
    if bias:
        blocks[inner + ".b"] = (layer["channels"],)

    def forward(p, xs, state):
        own = {k.rsplit(".", 1)[1]: v for k, v in p.items()}
        if lengths:
            return [torch.stack([conv2d(own, step, layer, bias) for step in x]) for x in xs["x"]]
        return [conv2d(own, x, layer, bias) for x in xs["x"]]

    kind = "sequence" if lengths else "image"
    family.case(name, {"inputs": {"x": {"kind": kind, "shape": list(shape)}}, "layers": [layer]}, blocks, forward,
                batch, {"x": lengths} if lengths else None, rate=0.02, tolerance=tolerance)


images("conv2d of one channel, same, relu", (1, 7, 11), {"channels": 5, "padding": "same", "activation": "relu"})
images("conv2d valid, no bias, tanh", (3, 6, 8), {"channels": 14, "kernel": [3, 2], "bias": False, "activation": "tanh"})
images("conv2d wide", (2, 5, 41), {"channels": 3, "kernel": [3, 5], "padding": "same", "activation": "sigmoid"})
images("conv2d strided, same, even kernel", (2, 9, 10), {"channels": 4, "kernel": 4, "stride": [2, 3], "padding": "same",
                                                         "activation": "elu"})
images("conv2d stride beyond kernel", (2, 11, 9), {"channels": 3, "kernel": 2, "stride": [3, 4], "padding": [1, 0]})
images("conv2d 1 x 1, strided", (5, 7, 6), {"channels": 4, "kernel": 1, "stride": 2})
images("conv2d 1 x 1", (5, 4, 3), {"channels": 6, "kernel": 1, "activation": "leaky_relu"})
images("conv2d dilated", (3, 10, 12), {"channels": 4, "kernel": 3, "dilation": [2, 3], "padding": [2, 1]})
images("conv2d dilated and strided, same", (2, 10, 11), {"channels": 3, "kernel": [2, 3], "dilation": [3, 2],
                                                        "stride": [2, 2], "padding": "same"})
images("conv2d four paddings", (2, 5, 6), {"channels": 3, "kernel": 3, "padding": [0, 2, 3, 1], "activation": "gelu"})
images("conv2d two groups", (4, 6, 7), {"channels": 6, "groups": 2, "padding": 1})
images("conv2d depthwise, strided", (6, 7, 8), {"channels": 12, "groups": 6, "padding": "same", "stride": 2})
images("conv2d of many channels", (30, 2, 3), {"channels": 13, "kernel": 3, "padding": "same"})
images("conv2d of steps (sequence)", (2, 4, 5), {"channels": 3, "kernel": [2, 3], "padding": "same",
                                                 "activation": "relu"}, 4, [6, 2, 5, 1])


def conv1d(p, x, layer, bias):
    kernel, stride, dilation = ([layer.get(k, d)] for k, d in (("kernel", 3), ("stride", 1), ("dilation", 1)))
    x = pad(x.T, sides(layer.get("padding", "valid"), [len(x)], kernel, stride, dilation))
    y = F.conv1d(x[None], p["w"], p["b"] if bias else None, stride, 0, dilation, layer.get("groups", 1))[0]
    return ACTIVATIONS[layer.get("activation", "none")](y).T


def sequences(name, features, layer, lengths, mean=False):
    layer = {"type": "conv1d", "name": "c", **layer}
    inner = "c.linear" if layer.get("activation") == "gelu" else "c"
    bias = layer.get("bias", True)
    blocks = {inner + ".w": (layer["channels"], features // layer.get("groups", 1), layer.get("kernel", 3))}
    if bias:
        blocks[inner + ".b"] = (layer["channels"],)

    def forward(p, xs, state):
        own = {k.rsplit(".", 1)[1]: v for k, v in p.items()}
        out = [conv1d(own, x, layer, bias) for x in xs["x"]]
        return [y.mean(0) for y in out] if mean else out

    layers = [layer] + ([{"type": "mean_pool"}] if mean else [])
    family.case(name, {"inputs": {"x": {"kind": "sequence", "shape": features}}, "layers": layers}, blocks, forward,
                len(lengths), {"x": lengths}, rate=0.05)


sequences("conv1d same (sequence)", 5, {"channels": 4, "padding": "same", "activation": "relu"}, [6, 2, 5, 1])
sequences("conv1d valid, no bias (sequence)", 3, {"channels": 14, "kernel": 4, "bias": False, "activation": "tanh"},
          [9, 4, 6])
sequences("conv1d strided and dilated, same (sequence)", 4, {"channels": 3, "stride": 2, "dilation": 2, "padding": "same"},
          [7, 2, 5, 1, 6])
sequences("conv1d even kernel, strided, same, mean", 4, {"channels": 5, "kernel": 4, "stride": 3, "padding": "same",
                                                         "activation": "sigmoid"}, [11, 1, 8, 3], mean=True)
sequences("conv1d of what was before, groups (sequence)", 4, {"channels": 6, "groups": 2, "padding": [2, 0]}, [6, 2, 5, 1])
sequences("conv1d depthwise, gelu (sequence)", 4, {"channels": 4, "groups": 4, "kernel": 2, "stride": 3, "padding": 1,
                                                  "activation": "gelu"}, [6, 2, 5, 1])
sequences("conv1d of one step (sequence)", 5, {"channels": 3, "kernel": 1}, [4, 1, 3])


def pool(x, layer, largest):
    """x [channel, sizes...]"""
    size = list(x.shape[1:])
    kernel = layer.get("kernel", 2)
    kernel = [kernel] * len(size) if isinstance(kernel, int) else kernel
    stride = layer.get("stride", kernel)
    stride = [stride] * len(size) if isinstance(stride, int) else stride
    around = sides(layer.get("padding", "valid"), size, kernel, stride, [1] * len(size))
    if largest:
        return (F.max_pool2d if len(size) == 2 else F.max_pool1d)(pad(x, around, -torch.inf), kernel, stride)
    average = F.avg_pool2d if len(size) == 2 else F.avg_pool1d
    mean = average(pad(x, around), kernel, stride)
    return mean if layer.get("count_padding") else mean / average(pad(torch.ones_like(x), around), kernel, stride)


def image_pool(name, shape, layer):
    """Behind a convolution, so that there is something to train; wide apart, so that the largest stays it."""
    def forward(p, xs, state):
        y = [F.conv2d(x[None], p["c.w"])[0] for x in xs["x"]]
        if layer["type"] == "global_max_pool":
            return [v.flatten(1).max(1).values for v in y]
        if layer["type"] == "global_average_pool":
            return [v.flatten(1).mean(1) for v in y]
        return [pool(v, layer, layer["type"] == "max_pool2d") for v in y]

    family.case(name, {"inputs": {"x": {"kind": "image", "shape": list(shape)}}, "layers": [
        {"type": "conv2d", "name": "c", "channels": 3, "kernel": 1, "bias": False}, layer]},
        {"c.w": (3, shape[0], 1, 1)}, forward, 2, rate=0.05, scale={"c.w": 4})


def sequence_pool(name, layer, lengths):
    def forward(p, xs, state):
        return [pool((x @ p["d.w"].T).T, layer, layer["type"] == "max_pool1d").T for x in xs["x"]]

    family.case(name, {"inputs": {"x": {"kind": "sequence", "shape": 4}}, "layers": [
        {"type": "dense", "name": "d", "units": 3, "bias": False}, layer]}, {"d.w": (3, 4)}, forward, len(lengths),
        {"x": lengths}, rate=0.1, scale={"d.w": 4})


for kind in ("max", "average"):
    image_pool(f"{kind}_pool2d", (2, 7, 9), {"type": f"{kind}_pool2d"})
    image_pool(f"{kind}_pool2d, overlapping, same", (2, 6, 7), {"type": f"{kind}_pool2d", "kernel": 3, "stride": 2,
                                                              "padding": "same"})
    image_pool(f"{kind}_pool2d, padded", (2, 5, 8), {"type": f"{kind}_pool2d", "kernel": [2, 4], "stride": [1, 3],
                                                   "padding": [0, 1, 2, 1]})
    image_pool(f"{kind}_pool2d, gaps", (2, 8, 9), {"type": f"{kind}_pool2d", "kernel": 2, "stride": 3, "padding": 1})
    image_pool(f"global_{kind}_pool", (2, 5, 8), {"type": f"global_{kind}_pool"})
    sequence_pool(f"{kind}_pool1d (sequence)", {"type": f"{kind}_pool1d"}, [7, 2, 5, 4])
    sequence_pool(f"{kind}_pool1d, same (sequence)", {"type": f"{kind}_pool1d", "kernel": 3, "stride": 2,
                                                      "padding": "same"}, [6, 2, 5, 1])
    sequence_pool(f"{kind}_pool1d, padded (sequence)", {"type": f"{kind}_pool1d", "kernel": 4, "stride": 1,
                                                        "padding": [1, 2]}, [6, 2, 5, 1])
image_pool("average_pool2d, padding counts", (2, 5, 8), {"type": "average_pool2d", "kernel": 3, "stride": 2, "padding": 1,
                                                        "count_padding": True})
sequence_pool("average_pool1d, padding counts (sequence)", {"type": "average_pool1d", "kernel": 3, "stride": 2,
                                                            "padding": 1, "count_padding": True}, [6, 2, 5, 1])

if __name__ == "__main__":
    family.write()
