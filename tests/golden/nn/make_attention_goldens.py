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



def attention(p, name, x, source=None, heads=2, bias=True):
    """torch.nn.MultiheadAttention with the weights of layer `name`."""
    feature, width = x.shape[1], (x if source is None else source).shape[1]
    packed = width == feature
    module = torch.nn.MultiheadAttention(feature, heads, bias=bias, kdim=None if packed else width,
                                         vdim=None if packed else width, dtype=torch.float64)
    weights = {"out_proj.weight": p[name + ".w_out"]}
    if packed:
        weights["in_proj_weight"] = p[name + ".w_in"]
    else:
        weights.update({f"{c}_proj_weight": p[f"{name}.w_{c}"] for c in "qkv"})
    if bias:
        weights.update({"in_proj_bias": p[name + ".b_in"], "out_proj.bias": p[name + ".b_out"]})
    other = x if source is None else source
    y, _ = torch.func.functional_call(module, weights, (x[:, None], other[:, None], other[:, None]),
                                      {"need_weights": False})
    return y[:, 0]


def attention_blocks(name, feature, width=None, bias=True):
    blocks = {f"{name}.w_in": (3 * feature, feature)} if width is None else {
        f"{name}.w_q": (feature, feature), f"{name}.w_k": (feature, width), f"{name}.w_v": (feature, width)}
    if bias:
        blocks[f"{name}.b_in"] = (3 * feature,)
    blocks[f"{name}.w_out"] = (feature, feature)
    if bias:
        blocks[f"{name}.b_out"] = (feature,)
    return blocks


SMALL = {b: 0.3 for n in "abct" for b in (n + ".b_in", n + ".b_out")}
family.case("attention (sequence)", {"inputs": SEQUENCE, "layers": [
    {"type": "multi_head_attention", "name": "a", "heads": 3}]},
    attention_blocks("a", 6), per_item(lambda p, x: attention(p, "a", x, heads=3)), 4, LENGTHS, rate=0.3, scale=SMALL)
family.case("attention behind a dense layer, without biases", {"inputs": SEQUENCE, "layers": [
    {"type": "dense", "name": "d", "units": 8}, {"type": "multi_head_attention", "name": "a", "heads": 2, "bias": False},
    {"type": "mean_pool"}]},
    {"d.w": (8, 6), "d.b": (8,), **attention_blocks("a", 8, bias=False)},
    per_item(lambda p, x: attention(p, "a", x @ p["d.w"].T + p["d.b"], bias=False).mean(0)), 4, LENGTHS, rate=0.3)
TWO = {"x": {"kind": "sequence", "shape": 6}, "z": {"kind": "sequence", "shape": 5}}
TWO_LENGTHS = {"x": [3, 5, 1, 4], "z": [4, 2, 7, 1]}


def per_pair(function):
    return lambda p, xs, state: [function(p, x, z) for x, z in zip(xs["x"], xs["z"])]


family.case("cross attention (sequence)", {"inputs": TWO, "layers": [
    {"type": "multi_head_attention", "name": "a", "heads": 2, "input": ["x", "z"]}]},
    attention_blocks("a", 6, 5), per_pair(lambda p, x, z: attention(p, "a", x, z)), 4, TWO_LENGTHS, rate=0.3, scale=SMALL)
family.case("cross attention, one width", {"inputs": TWO, "layers": [
    {"type": "dense", "name": "d", "units": 6, "input": "z"},
    {"type": "multi_head_attention", "name": "a", "heads": 2, "input": ["x", "d"]},
    {"type": "multi_head_attention", "name": "b", "heads": 1, "input": ["a", "a"]}, {"type": "sequence_max_pool"}]},
    {"d.w": (6, 5), "d.b": (6,), **attention_blocks("a", 6), **attention_blocks("b", 6)},
    per_pair(lambda p, x, z: attention(p, "b", attention(p, "a", x, z @ p["d.w"].T + p["d.b"]), heads=1).max(0).values),
    4, TWO_LENGTHS, rate=0.3, scale=SMALL)

def with_tokens(p, name, x):
    return torch.cat([p[name + ".token0"][None], p[name + ".token1"][None], x])


family.case("tokens and positions (sequence)", {"inputs": SEQUENCE, "layers": [
    {"type": "class_tokens", "name": "t", "count": 2}, {"type": "positional_embedding", "name": "p", "max_steps": 11},
    {"type": "dense", "name": "d", "units": 3}]},
    {"t.token0": (6,), "t.token1": (6,), "p.p": (11, 6), "d.w": (3, 6), "d.b": (3,)},
    per_item(lambda p, x: (with_tokens(p, "t", x) + p["p.p"][:len(x) + 2]) @ p["d.w"].T + p["d.b"]), 4, LENGTHS,
    rate=0.3)
family.case("mean of tokens after attention", {"inputs": SEQUENCE, "layers": [
    {"type": "class_tokens", "name": "t", "count": 2}, {"type": "multi_head_attention", "name": "a", "heads": 2},
    {"type": "token_mean", "count": 2}, {"type": "dense", "name": "d", "units": 3}]},
    {"t.token0": (6,), "t.token1": (6,), **attention_blocks("a", 6), "d.w": (3, 6), "d.b": (3,)},
    per_item(lambda p, x: p["d.w"] @ attention(p, "a", with_tokens(p, "t", x))[:2].mean(0) + p["d.b"]), 4, LENGTHS,
    rate=0.3, scale=SMALL)


def sinusoids(steps, feature):
    t, f = torch.arange(steps, dtype=torch.float64)[:, None], torch.arange(feature)[None]
    angle = t / 10000 ** (f // 2 * 2 / feature)
    return torch.where(f % 2 == 0, angle.sin(), angle.cos())


family.case("sinusoidal positions (sequence)", {"inputs": SEQUENCE, "layers": [
    {"type": "dense", "name": "d", "units": 7}, {"type": "positional_embedding", "kind": "sinusoidal"}]},
    {"d.w": (7, 6), "d.b": (7,)},
    per_item(lambda p, x: x @ p["d.w"].T + p["d.b"] + sinusoids(len(x), 7)), 4, LENGTHS, rate=0.3)
family.case("largest of a sequence", {"inputs": SEQUENCE, "layers": [
    {"type": "dense", "name": "d", "units": 7}, {"type": "sequence_max_pool"}]},
    {"d.w": (7, 6), "d.b": (7,)}, per_item(lambda p, x: (x @ p["d.w"].T + p["d.b"]).max(0).values), 4, LENGTHS, rate=0.3)


def block(p, name, x, heads, norm_first=True, activation="gelu", epsilon=1e-5):
    """torch.nn.TransformerEncoderLayer with the weights of layer `name`."""
    hidden, feature = p[name + ".fc1.w"].shape
    module = torch.nn.TransformerEncoderLayer(feature, heads, hidden, 0, activation, epsilon, norm_first=norm_first,
                                              dtype=torch.float64)
    names = {"self_attn.in_proj_weight": "attention.w_in", "self_attn.in_proj_bias": "attention.b_in",
             "self_attn.out_proj.weight": "attention.w_out", "self_attn.out_proj.bias": "attention.b_out",
             "linear1.weight": "fc1.w", "linear1.bias": "fc1.b", "linear2.weight": "fc2.w", "linear2.bias": "fc2.b"}
    for norm in ("norm1", "norm2"):
        names.update({norm + ".weight": norm + ".gamma", norm + ".bias": norm + ".beta"})
    weights = {theirs: p[f"{name}.{ours}"] for theirs, ours in names.items()}
    return torch.func.functional_call(module, weights, (x[:, None],))[:, 0]


def block_blocks(name, feature, hidden, norm_first=True):
    """In the order in which the layers run."""
    norm = lambda n: {f"{name}.{n}.gamma": (feature,), f"{name}.{n}.beta": (feature,)}
    attend = attention_blocks(name + ".attention", feature)
    feed = {f"{name}.fc1.w": (hidden, feature), f"{name}.fc1.b": (hidden,), f"{name}.fc2.w": (feature, hidden),
            f"{name}.fc2.b": (feature,)}
    return {**norm("norm1"), **attend, **norm("norm2"), **feed} if norm_first else {
        **attend, **norm("norm1"), **feed, **norm("norm2")}


def scales(blocks):
    return {b: 0.3 for b, shape in blocks.items() if len(shape) == 1}


for title, settings, hidden, how in (
        ("transformer block (sequence)", {"heads": 2}, 24, {}),
        ("transformer block, norm last (sequence)", {"heads": 3, "hidden": 5, "norm_first": False, "activation": "relu",
                                                     "epsilon": 0.125}, 5,
         {"norm_first": False, "activation": "relu", "epsilon": 0.125})):
    blocks = block_blocks("t", 6, hidden, how.get("norm_first", True))
    family.case(title, {"inputs": SEQUENCE, "layers": [{"type": "transformer_block", "name": "t", **settings}]}, blocks,
                per_item(lambda p, x, how=how, heads=settings["heads"]: block(p, "t", x, heads, **how)), 4, LENGTHS,
                rate=0.1, scale=scales(blocks))

blocks = {**block_blocks("t.block0", 6, 7), **block_blocks("t.block1", 6, 7), "t.norm.gamma": (6,), "t.norm.beta": (6,)}
family.case("transformer", {"inputs": SEQUENCE, "layers": [
    {"type": "transformer", "name": "t", "depth": 2, "heads": 2, "hidden": 7, "final_norm": True}, {"type": "mean_pool"}]},
    blocks, per_item(lambda p, x: F.layer_norm(block(p, "t.block1", block(p, "t.block0", x, 2), 2), (6,), p["t.norm.gamma"],
                                               p["t.norm.beta"]).mean(0)), 4, LENGTHS, rate=0.1, scale=scales(blocks))


def patches(p, name, x, stride):
    y = F.conv2d(x[None], p[name + ".w"], p.get(name + ".b"), stride)[0]
    return y.flatten(1).T


IMAGE = {"x": {"kind": "image", "shape": [2, 5, 8]}}
family.case("patches (sequence)", {"inputs": IMAGE, "layers": [
    {"type": "patch_embed", "name": "e", "units": 3, "kernel": [3, 2], "stride": [1, 3]}]},
    {"e.w": (3, 2, 3, 2), "e.b": (3,)}, per_item(lambda p, x: patches(p, "e", x, (1, 3))), rate=0.3)
family.case("patches that leave a rest (sequence)", {"inputs": IMAGE, "layers": [
    {"type": "activation", "function": "tanh"},
    {"type": "patch_embed", "name": "e", "units": 4, "kernel": 3, "bias": False}]},
    {"e.w": (4, 2, 3, 3)}, per_item(lambda p, x: patches(p, "e", torch.tanh(x), (3, 3))), rate=0.3)


def ast(p, name, x, depth, heads, stride):
    """The authors' forward, behind the turn of their input to [band, frame]."""
    y = with_tokens(p, name + ".tokens", patches(p, name + ".patch_embed", x, stride)) + p[name + ".positions.p"]
    for i in range(depth):
        y = block(p, f"{name}.blocks.block{i}", y, heads, epsilon=1e-6)
    y = F.layer_norm(y, y.shape[1:], p[name + ".blocks.norm.gamma"], p[name + ".blocks.norm.beta"], 1e-6)
    return (y[0] + y[1]) / 2


blocks = {"a.patch_embed.w": (6, 1, 4, 4), "a.patch_embed.b": (6,), "a.tokens.token0": (6,), "a.tokens.token1": (6,),
          "a.positions.p": (8, 6),
          **block_blocks("a.blocks.block0", 6, 24), **block_blocks("a.blocks.block1", 6, 24),
          "a.blocks.norm.gamma": (6,), "a.blocks.norm.beta": (6,)}
family.case("ast", {"inputs": {"x": {"kind": "image", "shape": [1, 7, 10]}}, "layers": [
    {"type": "ast", "name": "a", "width": 6, "depth": 2, "heads": 2, "kernel": 4, "stride": [2, 3]},
    {"type": "layer_norm", "name": "n"}, {"type": "dense", "name": "d", "units": 3}]},
    {**blocks, "n.gamma": (6,), "n.beta": (6,), "d.w": (3, 6), "d.b": (3,)},
    per_item(lambda p, x: p["d.w"] @ F.layer_norm(ast(p, "a", x, 2, 2, (2, 3)), (6,), p["n.gamma"], p["n.beta"])
             + p["d.b"]), rate=0.1, scale=scales(blocks))

if __name__ == "__main__":
    family.write()
