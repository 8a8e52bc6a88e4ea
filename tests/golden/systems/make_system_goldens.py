#!/usr/bin/env python3
"""Goldens of whole systems: activations and gradients while they train. Needs PyTorch; writes systems.json, .f32.

Each network of experiments/networks is written here once more, in double precision, from the papers' formulas. It takes
STEPS steps of gradient descent on cross-entropy, and of the first and the last step every layer's activations, every block's
gradient and statistics are kept, of inputs too; of all steps the loss.

Networks are as wide as their files say, so weights are not kept but worked out from numbers on both sides (`noise`). Of an
array are kept: the size of its largest value, its length, its product with `noise`, and WATCHED of its values. Rates of
dropout are 0, as masks are drawn differently.
"""
import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

HERE = pathlib.Path(__file__).resolve().parent
STEPS = 3
WATCHED = 24
values, count = [], 0


def noise(seed, n):
    """n numbers of [-1, 1), the same in float and double."""
    x = np.arange(n, dtype=np.uint32) * np.uint32(0x9E3779B1) + np.uint32(seed * 0x85EBCA77 % 2**32)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x7FEB352D)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x846CA68B)
    x ^= x >> np.uint32(16)
    return (x >> np.uint32(8)).astype(np.float64) / 2**23 - 1


def keep(array):
    """Where the record of an array stands, and how many values it has."""
    global count
    a = np.asarray(array, np.float64).ravel()
    at = [k * a.size // WATCHED for k in range(WATCHED)] if a.size > WATCHED else range(a.size)
    record = [np.abs(a).max(), np.sqrt((a * a).sum()), a @ noise(77, a.size), *a[list(at)]]
    values.append(np.asarray(record, np.float32))
    count += len(record)
    return [count - len(record), a.size]


class Sequence:
    """[batch, time, ...] and how many steps of each recording count."""

    def __init__(self, x, lengths):
        self.x, self.lengths = x, lengths

    def mask(self):
        steps = torch.arange(self.x.shape[1])[None] < torch.tensor(self.lengths)[:, None]
        return steps.view(*steps.shape, *[1] * (self.x.dim() - 2))

    def per_step(self, function):
        y = function(self.x.flatten(0, 1))
        return Sequence(y.view(*self.x.shape[:2], *y.shape[1:]), self.lengths)


class Net:
    """Blocks come into being when a forward pass first asks for them."""

    def __init__(self, norm_offset):
        self.norm_offset = norm_offset
        self.p, self.state, self.made, self.taps = {}, {}, {}, {}

    def make(self, name, shape, scale, offset):
        seed = 1000 + len(self.made)
        self.made[name] = [seed, scale, offset]
        drawn = (offset + scale * noise(seed, int(np.prod(shape)))).astype(np.float32)
        return torch.tensor(drawn.astype(np.float64).reshape(shape))

    def weight(self, name, shape, scale=None, offset=0.0, frozen=False):
        if name not in self.p:
            scale = float(np.sqrt(3 / np.prod(shape[1:]))) if scale is None else scale
            self.p[name] = self.make(name, shape, scale, offset).requires_grad_(not frozen)
        return self.p[name]

    def statistic(self, name, shape, offset):
        if name not in self.state:
            self.state[name] = self.make(name, shape, 0.0, offset)
        return self.state[name]

    def tap(self, name, value):
        self.taps[name] = value
        return value

    # --- layers

    def dense(self, x, name, units, activation=None, frozen=False):
        w = self.weight(name + ".w", (units, x.shape[-1]), frozen=frozen)
        y = x @ w.T + self.weight(name + ".b", (units,), 0.1, frozen=frozen)
        return activation(y) if activation else y

    def conv(self, x, name, channels, kernel, bias=True, frozen=False, groups=1, **more):
        function = F.conv2d if x.dim() == 4 else F.conv1d
        w = self.weight(name + ".w", (channels, x.shape[1] // groups) + (kernel,) * (x.dim() - 2), frozen=frozen)
        b = self.weight(name + ".b", (channels,), 0.1, frozen=frozen) if bias else None
        return function(x, w, b, groups=groups, **more)

    def batch_norm(self, x, name, epsilon=1e-5, momentum=0.1, unbiased=True, gamma=1.0):
        """[n, channels, ...]"""
        axes = [0, *range(2, x.dim())]
        n = x.numel() // x.shape[1]
        mean, variance = x.mean(axes), x.var(axes, unbiased=False)
        self.move(name, mean, variance, n, momentum, unbiased)
        shape = [-1] + [1] * (x.dim() - 2)
        y = (x - mean.view(shape)) / torch.sqrt(variance.view(shape) + epsilon)
        g = self.weight(name + ".gamma", (x.shape[1],), 0.2 * gamma, gamma).view(shape)
        return y * g + self.weight(name + ".beta", (x.shape[1],), 0.1, self.norm_offset).view(shape)

    def move(self, name, mean, variance, n, momentum, unbiased, step=slice(None), steps=()):
        running = self.statistic(name + ".running_mean", (*steps, *mean.shape), 0.0)
        running[step] += momentum * (mean.detach() - running[step])
        running = self.statistic(name + ".running_variance", (*steps, *mean.shape), 1.0)
        wide = variance.detach() * (n / (n - 1) if unbiased else 1)
        running[step] += momentum * (wide - running[step])

    def lstm(self, s, name, hidden, two_biases=False, peephole=None):
        """Gates i, f, g, o; peepholes of i, f, o, all at the cell before the step."""
        x = s.x
        w_x = self.weight(name + ".forward.w_x", (4 * hidden, x.shape[2]))
        w_h = self.weight(name + ".forward.w_h", (4 * hidden, hidden))
        b = self.weight(name + ".forward.b", (4 * hidden,), 0.1)
        if two_biases:
            b = b + self.weight(name + ".forward.b_h", (4 * hidden,), 0.1)
        w_c = None
        if peephole == "diagonal":
            w_c = torch.diag_embed(self.weight(name + ".forward.w_c", (3 * hidden,), 0.1).view(3, hidden))
        elif peephole == "full":
            w_c = self.weight(name + ".forward.w_c", (3 * hidden, hidden)).view(3, hidden, hidden)
        h = c = x.new_zeros(x.shape[0], hidden)
        out = []
        for t in range(x.shape[1]):
            i, f, g, o = (x[:, t] @ w_x.T + h @ w_h.T + b).chunk(4, 1)
            if w_c is not None:
                i, f, o = (gate + c @ w_c[k].T for k, gate in enumerate((i, f, o)))
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            out.append(h)
        return Sequence(torch.stack(out, 1), s.lengths)

    def lstms(self, s, name, hidden, layers, **more):
        for k in range(layers):
            s = self.lstm(s, f"{name}.stack{k}", hidden, **more)
        return s

    def ds_lstm(self, s, y, name, hidden):
        """One dual-sequence cell with normed gates and results; all recordings have all steps."""
        x, y = s.x, y.x
        cell = name + ".cell"

        def affine(part, rows, *of):
            joined = torch.cat(of, 1)
            w = self.weight(f"{cell}.{part}.w", (rows, joined.shape[1]))
            return joined @ w.T + self.weight(f"{cell}.{part}.b", (rows,), 0.1)

        norm = cell + ".gate_norm"
        gamma = self.weight(norm + ".gamma", (4 * hidden,), 0.02, 0.1)
        beta = self.weight(norm + ".beta", (4 * hidden,), 0.1)
        h = c = x.new_zeros(x.shape[0], hidden)
        out = []
        for t in range(x.shape[1]):
            g = torch.sigmoid(affine("gates", 4 * hidden, x[:, t], y[:, t], h))
            mean, variance = g.mean(0), g.var(0, unbiased=False)
            self.move(norm, mean, variance, len(g), 0.1, True, t, (x.shape[1],))
            f, i_x, o, i_y = ((g - mean) / torch.sqrt(variance + 1e-5) * gamma + beta).chunk(4, 1)
            of_x = torch.tanh(affine("x_candidate", hidden, x[:, t], h))
            of_y = torch.tanh(affine("y_candidate", hidden, y[:, t], h))
            c = f * c + i_x * of_x + i_y * of_y
            h = o * torch.tanh(c)
            out.append(h)
        rows = torch.stack(out, 1)
        normed = self.batch_norm(rows.flatten(0, 1), name + ".out_norm")
        return Sequence(normed.view(rows.shape), s.lengths)


def relu_of(s):
    return torch.relu(s)


def mean_pool(s):
    return (s.x * s.mask()).sum(1) / torch.tensor(s.lengths)[:, None]


def last(s):
    return torch.stack([s.x[b, n - 1] for b, n in enumerate(s.lengths)])


def columns(image):
    """Images as sequences along time, [batch, width, channels * height]."""
    x = image.permute(0, 3, 1, 2).flatten(2)
    return Sequence(x, [x.shape[1]] * x.shape[0])


def rows(image):
    x = image.permute(0, 2, 1, 3).flatten(2)
    return Sequence(x, [x.shape[1]] * x.shape[0])


# --- the systems; taps by the names of the files' layers


def ds_streams(net, xs):
    steps = {}
    number = 0
    for stream in "xy":
        x = xs[stream]
        for channels in (128, 16):
            x = net.tap(f"layer{number}", net.conv(x, f"layer{number}", channels, 3, padding=1))
            x = net.tap(f"layer{number + 1}", torch.relu(net.batch_norm(x, f"layer{number + 1}")))
            x = net.tap(f"layer{number + 2}", F.max_pool2d(x, 2))
            number += 3
        steps[stream] = columns(x)
        net.tap("layer6" if stream == "x" else "y_steps", steps[stream])
        number = 8
    x, y = steps["x"], steps["y"]
    n = x.x.shape[1] // 2 - 1
    means = torch.stack([x.x[:, 2 * i:2 * i + 3].mean(1) for i in range(n)], 1)
    x = net.tap("x_steps", Sequence(means, [n] * len(means)))
    y = net.tap("y_aligned", Sequence(y.x[:, :n], [n] * len(means)))
    for k in range(2):
        x = net.ds_lstm(x, y, f"layer16.stack{k}", 200)
    heard = net.tap("layer17", mean_pool(net.tap("layer16", x)))
    return net.tap("ds", net.dense(heard, "ds", 4))


def ds_lstm_dual(net, xs):
    ds = ds_streams(net, xs)
    m = net.tap("layer19", net.lstms(xs["mfcc"], "layer19", 200, 2, two_biases=True))
    return {"ds": ds, "mfcc_head": net.tap("mfcc_head", net.dense(net.tap("layer20", mean_pool(m)), "mfcc_head", 4))}


def over_means(hidden, widths, classes, peephole=None):
    """An LSTM over a vector's numbers, and dense layers: relu behind a dropout of rate 0, or in front of it."""

    def forward(net, xs):
        x = xs["mfcc_means"]
        s = net.tap("layer0", Sequence(x[:, :, None], [x.shape[1]] * len(x)))
        y = net.tap("layer2", last(net.tap("layer1", net.lstm(s, "layer1", hidden, peephole=peephole))))
        number = 3
        if hidden == 256:
            y = net.tap("layer3", y)
            for width in widths:
                y = net.tap(f"layer{number + 1}", net.dense(y, f"layer{number + 1}", width, torch.relu))
                y = net.tap(f"layer{number + 2}", y)
                number += 2
            name = f"layer{number + 1}"
        else:
            for width in widths:
                y = net.tap(f"layer{number}", net.dense(y, f"layer{number}", width))
                y = net.tap(f"layer{number + 1}", y)
                y = net.tap(f"layer{number + 2}", torch.relu(y))
                number += 3
            name = f"layer{number}"
        return {name: net.tap(name, net.dense(y, name, classes))}

    return forward


def densenet(net, x, name):
    x = net.conv(x, name + ".conv0", 64, 7, bias=False, stride=2, padding=3)
    x = F.max_pool2d(torch.relu(net.batch_norm(x, name + ".norm0")), 3, 2, 1)
    for block, layers in enumerate((6, 12, 24, 16), 1):
        for k in range(1, layers + 1):
            at = f"{name}.block{block}.layer{k}."
            y = net.conv(torch.relu(net.batch_norm(x, at + "norm1")), at + "conv1", 128, 1, bias=False)
            y = net.conv(torch.relu(net.batch_norm(y, at + "norm2")), at + "conv2", 32, 3, bias=False, padding=1)
            x = torch.cat([x, y], 1)
        if block < 4:
            at = f"{name}.transition{block}."
            y = torch.relu(net.batch_norm(x, at + "norm"))
            x = F.avg_pool2d(net.conv(y, at + "conv", x.shape[1] // 2, 1, bias=False), 2)
    return torch.relu(net.batch_norm(x, name + ".norm5")).mean((2, 3))


def densenet_mfcc(net, xs):
    y = torch.cat([net.tap("seen", densenet(net, xs["mel"], "seen")), xs["mfcc"]], 1)
    net.tap("layer1", y)
    y = net.tap("layer3", net.tap("layer2", net.dense(y, "layer2", 256, torch.relu)))
    y = net.tap("layer5", net.tap("layer4", net.dense(y, "layer4", 128, torch.relu)))
    return {"layer6": net.tap("layer6", net.dense(y, "layer6", 7))}


def same_pool(x):
    """[batch, channels, time]: the largest of 5, 2 apart; Keras' padding, the odd one behind."""
    n = x.shape[2]
    total = max(((n + 1) // 2 - 1) * 2 + 5 - n, 0)
    return F.max_pool1d(F.pad(x, (total // 2, total - total // 2), value=-float("inf")), 5, 2)


def as_steps(x):
    return Sequence(x.transpose(1, 2), [x.shape[2]] * len(x))


def fusion_front(net, x, names, frozen):
    net.tap(next(names), Sequence(x[:, :, None], [x.shape[1]] * len(x)))
    x = x[:, None]
    for name in ("conv1", "conv2"):
        x = torch.relu(net.conv(x, name, 256, 5, padding=2, frozen=frozen))
        net.tap(name, as_steps(x))
        x = same_pool(x)
        net.tap(next(names), as_steps(x))
    return x


def fusionnet_extractor(net, xs):
    x = fusion_front(net, xs["acoustic"], iter(("layer0", "layer2", "layer4")), False)
    net.tap("layer5", as_steps(x))
    net.tap("layer6", x)
    y = net.tap("layer7", x.flatten(1))
    y = net.tap("layer9", net.tap("deep", net.dense(y, "deep", 32, torch.relu)))
    y = net.tap("layer11", net.tap("layer10", net.dense(y, "layer10", 12, torch.relu)))
    return {"layer12": net.tap("layer12", net.dense(y, "layer12", 6))}


def fusionnet(net, xs):
    x = fusion_front(net, xs["acoustic"], iter(("layer0", "layer2", "layer4")), True)
    net.tap("layer5", x)
    deep = net.tap("deep", net.dense(net.tap("layer6", x.flatten(1)), "deep", 32, torch.relu, frozen=True))
    y = net.tap("layer8", torch.cat([deep, xs["statistical"], xs["gender"]], 1))
    y = net.tap("layer9", net.dense(y, "layer9", 12, torch.relu))
    y = net.tap("layer10", net.dense(y, "layer10", 10, torch.relu))
    return {"layer11": net.tap("layer11", net.dense(y, "layer11", 6))}


def cnn_lstm(steps_of):
    def forward(net, xs):
        x = xs["mfcc"]
        for k, channels in enumerate((128, 256, 512)):
            at = 3 * k
            x = net.tap(f"layer{at}", torch.relu(net.conv(x, f"layer{at}", channels, 3, padding=1)))
            x = net.tap(f"layer{at + 1}", net.batch_norm(x, f"layer{at + 1}", 1e-3, 0.01, False))
            x = net.tap(f"layer{at + 2}", F.max_pool2d(x, 2))
        s = net.tap("layer10", net.lstm(net.tap("layer9", steps_of(x)), "layer10", 128))
        y = net.dense(net.tap("layer11", last(s)), "layer12", 128, torch.relu)
        y = net.tap("layer13", net.tap("layer12", y))
        return {"layer14": net.tap("layer14", net.dense(y, "layer14", 8))}

    return forward


def alexnet(net, x, name):
    def norm(y):
        return F.local_response_norm(y, 5, 5e-4, 0.75, 2.0)

    y = norm(torch.relu(net.conv(x, name + ".conv1", 96, 11, stride=4)))
    y = F.max_pool2d(y, 3, 2)
    y = norm(torch.relu(net.conv(y, name + ".conv2", 256, 5, padding=2, groups=2)))
    y = F.max_pool2d(y, 3, 2)
    y = torch.relu(net.conv(y, name + ".conv3", 384, 3, padding=1))
    y = torch.relu(net.conv(y, name + ".conv4", 384, 3, padding=1, groups=2))
    y = F.max_pool2d(torch.relu(net.conv(y, name + ".conv5", 256, 3, padding=1, groups=2)), 3, 2).flatten(1)
    return net.dense(net.dense(y, name + ".fc6", 4096, torch.relu), name + ".fc7", 4096, torch.relu)


def segments(net, xs):
    s = net.tap("fc7", xs["mel"].per_step(lambda x: alexnet(net, x, "fc7")))
    s = net.tap("heard", net.lstms(s, "heard", 256, 2))
    return {"scores": net.tap("scores", net.dense(net.tap("layer2", last(s)), "scores", 7))}


# --- cases

cases = []


def padded(value):
    """As Serval has it: [time, batch, ...] with zeros behind each sequence."""
    if isinstance(value, Sequence):
        return (value.x * value.mask()).transpose(0, 1).detach().numpy()
    return value.detach().numpy()


def case(name, network, forward, inputs, batch, classes, lengths=None, weights=None, rate=0.02, tolerance=2e-4,
         norm_offset=0.0):
    """network: a file of experiments/networks, or a network. inputs: {name: shape}; of sequences of `lengths`, one step's.

    norm_offset: of batch norms. In 120 layers of relu some value always lies so near the corner that rounding to single
    precision decides, and PyTorch itself is then 3 % off in a gradient; an offset of 2.5 leaves few values there.
    """
    lengths = lengths or {}
    net = Net(norm_offset)
    labels = [(3 * b + 1) % classes for b in range(batch)]
    given = {}
    for number, (key, shape) in enumerate(inputs.items()):
        steps = lengths.get(key)
        full = (batch, max(steps), *shape) if steps else (batch, *shape)
        drawn = noise(100 + number, int(np.prod(full))).astype(np.float32).astype(np.float64)
        # Drawn in Serval's order of axes.
        if steps:
            drawn = torch.tensor(drawn.reshape(full[1], full[0], *shape)).transpose(0, 1).contiguous()
            mask = Sequence(drawn, steps).mask()
            given[key] = (drawn * mask).requires_grad_(True)
        else:
            given[key] = torch.tensor(drawn.reshape(full)).requires_grad_(True)
    entry = {"name": name, "network": network, "batch": batch, "classes": classes, "labels": labels, "rate": rate,
             "tolerance": tolerance, "inputs": {k: list(s) for k, s in inputs.items()}, "lengths": lengths,
             "heads": weights or {}, "steps": []}
    for step in range(STEPS):
        xs = {k: Sequence(x, lengths[k]) if k in lengths else x for k, x in given.items()}
        for tensor in [*net.p.values(), *given.values()]:
            tensor.grad = None
        outputs = forward(net, xs)
        heads = weights or {next(iter(outputs)): 1.0}
        entry["heads"] = heads
        loss = sum(w * F.cross_entropy(outputs[o], torch.tensor(labels)) for o, w in heads.items())
        loss.backward()
        said = {"loss": loss.item()}
        if step in (0, STEPS - 1):
            said["activations"] = {k: keep(padded(v)) for k, v in net.taps.items()}
            said["gradients"] = {k: keep(p.grad.numpy()) for k, p in net.p.items() if p.requires_grad}
            said["statistics"] = {k: keep(s.numpy()) for k, s in net.state.items()}
            said["input_gradients"] = {}
            for k, x in given.items():
                gradient = Sequence(x.grad, lengths[k]) if k in lengths else x.grad
                said["input_gradients"][k] = keep(padded(gradient))
        entry["steps"].append(said)
        with torch.no_grad():
            for p in net.p.values():
                if p.requires_grad:
                    p -= rate * p.grad
    entry["blocks"] = net.made
    cases.append(entry)
    print(name, [s["loss"] for s in entry["steps"]], sum(p.numel() for p in net.p.values()), "weights")


LONG = [12, 7, 12, 10, 3, 12, 9, 1]
case("multiscale: AlexNet on segments, LSTM over them", {
    "inputs": {"mel": {"kind": "sequence", "shape": [3, 67, 67]}},
    "layers": [{"type": "alexnet", "name": "fc7", "dropout": 0.0},
               {"type": "lstm", "name": "heard", "hidden": 256, "layers": 2},
               {"type": "last_pool"}, {"type": "dense", "name": "scores"}], "classes": 7},
    segments, {"mel": (3, 67, 67)}, 3, 7, {"mel": [2, 1, 3]})
case("dual-level DS-LSTM", "ds_lstm_dual", ds_lstm_dual, {"x": (1, 32, 46), "y": (1, 64, 24), "mfcc": (39,)}, 8, 4,
     {"mfcc": LONG}, {"ds": 0.5, "mfcc_head": 0.5})
case("modified LSTM over mean MFCCs", "lstm_modified", over_means(256, (128, 64), 7), {"mfcc_means": (40,)}, 5, 7)
case("the same with diagonal peepholes", "lstm_modified_peephole", over_means(256, (128, 64), 7, "diagonal"),
     {"mfcc_means": (40,)}, 5, 7)
case("the same with full peepholes", "lstm_modified_peephole_full", over_means(256, (128, 64), 7, "full"),
     {"mfcc_means": (40,)}, 5, 7)
case("traditional LSTM over mean MFCCs", "lstm_traditional", over_means(128, (64, 32), 8), {"mfcc_means": (40,)}, 5, 8)
case("DenseNet-121 beside MFCCs", "densenet_mfcc", densenet_mfcc, {"mel": (3, 64, 64), "mfcc": (40,)}, 6, 7,
     rate=0.005, norm_offset=2.5)
case("SER-FusionNet's extractor", "fusionnet_extractor", fusionnet_extractor, {"acoustic": (162,)}, 5, 6, rate=0.005)
case("SER-FusionNet", "fusionnet", fusionnet, {"acoustic": (162,), "statistical": (8,), "gender": (1,)}, 5, 6)
case("CNN-LSTM along the cepstrum", "cnn_lstm_mfcc", cnn_lstm(rows), {"mfcc": (1, 40, 60)}, 3, 8)
case("CNN-LSTM over time", "cnn_lstm_mfcc_time", cnn_lstm(columns), {"mfcc": (1, 40, 60)}, 3, 8)

if __name__ == "__main__":
    np.concatenate(values).astype("<f4").tofile(HERE / "systems.f32")
    text = json.dumps({"versions": {"torch": torch.__version__.split("+")[0]}, "cases": cases}, separators=(",", ":"))
    (HERE / "systems.json").write_text(text.replace('"activations"', '\n"activations"').replace('{"name"', '\n{"name"') + "\n")
    print(count, "numbers")
