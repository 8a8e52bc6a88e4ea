"""PyTorch's twin of a network that `serval bench train --dump FOLDER` left: the same layers, weights and data."""
import json
import pathlib

import numpy as np
import torch
from torch import nn

ACTIVATIONS = {"none": nn.Identity, "relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "elu": nn.ELU,
               "gelu": nn.GELU}


class Lstm(nn.Module):
    """Time-major; Serval has one bias for each gate, in PyTorch's order of gates."""

    def __init__(self, width, layer):
        super().__init__()
        self.lstm = nn.LSTM(width, layer["hidden"], num_layers=layer["layers"], bidirectional=layer["bidirectional"])
        self.width = layer["hidden"] * (2 if layer["bidirectional"] else 1)
        self.layers, self.both = layer["layers"], layer["bidirectional"]

    def load(self, name, block):
        for k in range(self.layers):
            own = name if self.layers == 1 else f"{name}.stack{k}"
            for direction, suffix in (("forward", ""), ("reversed", "_reverse")):
                if direction == "reversed" and not self.both:
                    continue
                for ours, theirs in (("w_x", "weight_ih"), ("w_h", "weight_hh"), ("b", "bias_ih")):
                    getattr(self.lstm, f"{theirs}_l{k}{suffix}").data.copy_(block(f"{own}.{direction}.{ours}"))
                second = getattr(self.lstm, f"bias_hh_l{k}{suffix}")
                second.data.zero_()
                second.requires_grad_(False)

    def forward(self, x):
        return self.lstm(x)[0]


class Dense(nn.Module):
    def __init__(self, width, layer, classes):
        super().__init__()
        self.width = layer["units"] or classes
        self.linear = nn.Linear(width, self.width, bias=layer["bias"])
        self.activation = ACTIVATIONS[layer["activation"]]()

    def load(self, name, block):
        self.linear.weight.data.copy_(block(f"{name}.w"))
        if self.linear.bias is not None:
            self.linear.bias.data.copy_(block(f"{name}.b"))

    def forward(self, x):
        return self.activation(self.linear(x))


class Conv(nn.Module):
    def __init__(self, channels, layer):
        super().__init__()
        kernel = pair(layer["kernel"])
        if layer["padding"] == "same" and pair(layer["stride"]) == (1, 1):
            padding = "same"
        elif layer["padding"] == "valid":
            padding = 0
        else:
            raise SystemExit(f"no twin of padding {layer['padding']}")
        self.width = layer["channels"]
        self.conv = nn.Conv2d(channels, self.width, kernel, pair(layer["stride"]), padding, pair(layer["dilation"]),
                              layer["groups"], layer["bias"])
        self.activation = ACTIVATIONS[layer["activation"]]()

    def load(self, name, block):
        self.conv.weight.data.copy_(block(f"{name}.w"))
        if self.conv.bias is not None:
            self.conv.bias.data.copy_(block(f"{name}.b"))

    def forward(self, x):
        return self.activation(self.conv(x))


class BatchNorm(nn.Module):
    def __init__(self, channels, layer):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, eps=layer["epsilon"], momentum=layer["momentum"])
        self.width = channels

    def load(self, name, block):
        self.norm.weight.data.copy_(block(f"{name}.gamma"))
        self.norm.bias.data.copy_(block(f"{name}.beta"))

    def forward(self, x):
        return self.norm(x)


class ToSequence(nn.Module):
    """[batch, channel, height, width] to [step, batch, channel * the other side]."""

    def __init__(self, axis):
        super().__init__()
        self.axis = axis

    def forward(self, x):
        steps = x.permute(3, 0, 1, 2) if self.axis == "width" else x.permute(2, 0, 1, 3)
        return steps.flatten(2)


class Twin(nn.Module):
    def __init__(self, folder):
        super().__init__()
        folder = pathlib.Path(folder)
        network = json.loads((folder / "network.json").read_text())
        numbers = torch.from_numpy(np.fromfile(folder / "parameters.f32", "<f4"))
        blocks = {b["name"]: b for b in json.loads((folder / "blocks.json").read_text())}

        def block(name):
            shape = blocks[name]["shape"]
            return numbers[blocks[name]["offset"]:][:int(np.prod(shape))].reshape(shape)

        inputs = network["inputs"] or {"input": {"kind": "sequence", "shape": []}}
        [(name, spec)] = inputs.items()
        self.labels = torch.from_numpy(np.fromfile(folder / "labels.i32", "<i4").astype(np.int64))
        x = torch.from_numpy(np.fromfile(folder / f"x.{name}.f32", "<f4"))
        batch = len(self.labels)
        if spec["kind"] == "sequence":
            width = spec["shape"][0] if spec["shape"] else self.sequence_width(network, blocks)
            self.x = x.reshape(-1, batch, width)
        else:
            self.x = x.reshape(batch, *spec["shape"])
        self.layers = nn.ModuleList()
        with torch.no_grad():
            y = self.x
            for i, layer in enumerate(network["layers"]):
                made = self.make(layer, y, network["classes"])
                if hasattr(made, "load"):
                    made.load(layer["name"] or f"layer{i}", block)
                self.layers.append(made)
                y = made(y)
        self.classes = y.shape[1]

    @staticmethod
    def sequence_width(network, blocks):
        first = network["layers"][0]
        name = first["name"] or "layer0"
        one = name if first.get("layers", 1) == 1 else name + ".stack0"
        return blocks[f"{one}.forward.w_x"]["shape"][1]

    def make(self, layer, y, classes):
        kind = layer["type"]
        if kind == "lstm":
            return Lstm(y.shape[2], layer)
        if kind == "dense":
            return Dense(y.shape[-1], layer, classes or int(self.labels.max()) + 1)
        if kind == "conv2d":
            return Conv(y.shape[1], layer)
        if kind == "batch_norm":
            return BatchNorm(y.shape[1], layer)
        if kind == "max_pool2d":
            return nn.MaxPool2d(pair(layer["kernel"]), pair(layer["stride"]) if layer["stride"] else None)
        if kind == "to_sequence":
            return ToSequence(layer["axis"])
        if kind == "mean_pool":
            return Apply(lambda x: x.mean(0))
        if kind == "last_pool":
            return Apply(lambda x: x[-1])
        if kind == "dropout" and layer["rate"] == 0:
            return nn.Identity()
        if kind == "flatten":
            return nn.Flatten()
        raise SystemExit(f"no twin of a layer of type {kind}")

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


class Apply(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def pair(value):
    values = value if isinstance(value, list) else [value]
    return (values[0], values[-1])


class Training:
    """Steps of Adam as Serval takes them: cross-entropy's mean, no decay, float32 throughout."""

    def __init__(self, folder, device="cpu"):
        torch.backends.cudnn.allow_tf32 = False
        self.model = Twin(folder)
        self.x, self.labels = self.model.x.to(device), self.model.labels.to(device)
        self.model.to(device)
        trained = [p for p in self.model.parameters() if p.requires_grad]
        self.optimiser = torch.optim.Adam(trained, lr=1e-3, capturable=device == "cuda")
        self.graph = None

    def step(self):
        if self.graph is not None:
            self.graph.replay()
            return self.loss
        return self.run()

    def run(self):
        self.optimiser.zero_grad(set_to_none=True)
        loss = nn.functional.cross_entropy(self.model(self.x), self.labels)
        loss.backward()
        self.optimiser.step()
        return loss

    def capture(self):
        """One step as a CUDA graph; a few are taken first, as PyTorch asks."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                self.run()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.loss = self.run()
        self.graph = graph
