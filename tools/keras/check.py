#!/usr/bin/env python3
"""Loads a file of `serval keras` into a model built of Keras' own layers, and compares its probabilities with those of the same
member's `serval onnx --form network` in ONNX Runtime, on features drawn at random around the normaliser's mean.

    check.py FILE.h5 FILE.onnx [--frames 37 90] [--items 3]

Needs keras 3, one of its backends, h5py, numpy and onnxruntime. Knows the layers of plain networks and says which it does not.
"""

import argparse
import json

import h5py
import keras
import numpy
import onnxruntime
from keras import layers, ops

ACTIVATIONS = {"none": None, "relu": "relu", "tanh": "tanh", "sigmoid": "sigmoid", "elu": "elu", "gelu": "gelu"}


def text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


class AttentionPool(layers.Layer):
    """A layer that Keras lacks: weights in the shapes that serval_layout tells."""

    def __init__(self, units, **more):
        super().__init__(**more)
        self.units = units

    def build(self, shape):
        self.w = self.add_weight(shape=(self.units, shape[-1]), name="w")
        self.b = self.add_weight(shape=(self.units,), name="b")
        self.v = self.add_weight(shape=(1, self.units), name="v")

    def call(self, x):
        scores = ops.matmul(ops.tanh(ops.matmul(x, ops.transpose(self.w)) + self.b), ops.transpose(self.v))
        return ops.sum(x * ops.softmax(scores, axis=1), axis=1)


def channels_first(x):
    """Serval's features of an image are in the order channel, height, width."""
    return layers.Permute((3, 1, 2))(x) if len(x.shape) == 4 else x


def pair(sizes):
    return tuple(sizes) if len(sizes) > 1 else (sizes[0], sizes[0])


def windowed(x, layer, name):
    """Convolutions and pools."""
    kind, rank = layer["type"], 1 if layer["type"].endswith("1d") else 2
    sizes = (lambda s: s[0]) if rank == 1 else pair
    if layer["padding"] not in ("same", "valid"):
        raise SystemExit(f"{kind}: a padding of {layer['padding']} is not built here")
    window = {"padding": layer["padding"], "strides": sizes(layer["stride"] or layer["kernel"])}
    if kind.startswith("conv"):
        more = {"kernel_size": sizes(layer["kernel"]), "dilation_rate": sizes(layer["dilation"]), "name": name,
                "use_bias": layer["bias"], "activation": ACTIVATIONS[layer["activation"]], **window}
        if layer["groups"] > 1 and layer["groups"] == x.shape[-1]:
            make = layers.DepthwiseConv1D if rank == 1 else layers.DepthwiseConv2D
            return make(depth_multiplier=layer["channels"] // layer["groups"], **more)(x)
        make = layers.Conv1D if rank == 1 else layers.Conv2D
        return make(layer["channels"], groups=layer["groups"], **more)(x)
    make = {"max_pool1d": layers.MaxPooling1D, "max_pool2d": layers.MaxPooling2D,
            "average_pool1d": layers.AveragePooling1D, "average_pool2d": layers.AveragePooling2D}[kind]
    return make(pool_size=sizes(layer["kernel"]), **window)(x)


def recurrent(x, layer, names, last):
    cell = {"lstm": layers.LSTM, "gru": layers.GRU, "simple_rnn": layers.SimpleRNN}[layer["type"]]
    more = {"reset_after": layer["reset_after"]} if layer["type"] == "gru" else {}
    if layer["type"] == "simple_rnn":
        more = {"activation": layer["activation"]}
    for number, name in enumerate(names):
        returns = number + 1 < len(names) or not last
        if layer["bidirectional"]:
            x = layers.Bidirectional(cell(layer["hidden"], return_sequences=returns, **more), name=name)(x)
        else:
            x = cell(layer["hidden"], return_sequences=returns, name=name, **more)(x)
    return x


def built(layer, x, names, classes, last):
    """One layer of the network; x is its input, or the list of them."""
    kind, name = layer["type"], names[0] if names else None
    if kind in ("dropout", "spatial_dropout", "gaussian_noise"):
        return x
    if kind in ("lstm", "gru", "simple_rnn"):
        return recurrent(x, layer, names, last)
    if kind == "last_pool":
        return x  # the recurrent layer before it gives its last step alone
    if kind == "dense":
        return layers.Dense(layer["units"] or classes, activation=ACTIVATIONS[layer["activation"]],
                            use_bias=layer["bias"], name=name)(x)
    if kind == "batch_norm":
        x = layers.BatchNormalization(epsilon=layer["epsilon"], scale=layer["scale"], center=layer["offset"],
                                      name=name)(x)
        return layers.Activation(ACTIVATIONS[layer["activation"]] or "linear")(x)
    if kind == "layer_norm":
        return layers.LayerNormalization(epsilon=layer["epsilon"], name=name)(x)
    if kind == "multi_head_attention" and not isinstance(x, list):
        return layers.MultiHeadAttention(layer["heads"], x.shape[-1] // layer["heads"], use_bias=layer["bias"],
                                         name=name)(x, x)
    if kind == "attention_pool":
        return AttentionPool(layer["units"], name=name)(x)
    if kind == "activation" and layer["function"] in ACTIVATIONS:
        return layers.Activation(ACTIVATIONS[layer["function"]] or "linear")(x)
    if kind in ("conv1d", "conv2d", "max_pool1d", "max_pool2d", "average_pool1d", "average_pool2d"):
        return windowed(x, layer, name)
    if kind == "mean_pool":
        return layers.GlobalAveragePooling1D()(x)
    if kind == "sequence_max_pool":
        return layers.GlobalMaxPooling1D()(x)
    if kind == "global_average_pool":
        return layers.GlobalAveragePooling2D()(x)
    if kind == "global_max_pool":
        return layers.GlobalMaxPooling2D()(x)
    if kind == "patch_embed":
        x = layers.Conv2D(layer["units"], pair(layer["kernel"]), strides=pair(layer["stride"] or layer["kernel"]),
                          use_bias=layer["bias"], name=name)(x)
        return layers.Reshape((x.shape[1] * x.shape[2], x.shape[3]))(x)
    if kind == "conv_lstm1d":  # vectors count as one channel; what it gives is flat at once
        x = layers.ConvLSTM1D(layer["hidden"], layer["kernel"], padding="same", return_sequences=True,
                              name=name)(layers.Reshape((-1, x.shape[-1], 1))(x))
        return layers.Reshape((-1, x.shape[2] * x.shape[3]))(layers.Permute((1, 3, 2))(x))
    if kind == "flatten":
        return x if len(x.shape) == 3 else layers.Flatten()(channels_first(x))
    if kind == "to_sequence" and len(x.shape) == 2:
        return layers.Reshape((x.shape[1], 1))(x)
    if kind == "to_sequence" and layer["axis"] == "width":
        x = layers.Permute((2, 3, 1))(x)  # width, channel, height
        return layers.Reshape((x.shape[1], x.shape[2] * x.shape[3]))(x)
    if kind == "concat" and layer["axis"] == 0 and len(x[0].shape) < 4:
        return layers.Concatenate()(x)
    if kind == "add":
        return layers.Add()(x)
    raise SystemExit(f"{kind} is not built here")


def model_of(file):
    network, classes = json.loads(file.attrs["network"]), len(file.attrs["classes"])
    inputs = {i["name"]: keras.Input(i["shape"]) for i in json.loads(file.attrs["inputs"])}
    values, before, groups = dict(inputs), next(iter(inputs.values())), {}
    for group in map(text, file.attrs["layer_names"]):
        groups.setdefault(text(file[group].attrs["serval_name"]), group)
    for number, layer in enumerate(network["layers"]):
        own = layer["name"] or f"layer{number}"
        names = [g for s, g in groups.items() if s in (own, own + ".linear") or s.startswith(own + ".stack")]
        x = [values[name] for name in layer["input"]] or before
        x = x[0] if isinstance(x, list) and len(x) == 1 else x
        last = number + 1 < len(network["layers"]) and network["layers"][number + 1]["type"] == "last_pool"
        before = values[own] = built(layer, x, names, classes, last)
    if network["outputs"] or any(o["layer"] for o in json.loads(file.attrs["outputs"])):
        raise SystemExit("named outputs are not built here")
    return keras.Model(list(inputs.values()), layers.Softmax()(before))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("onnx")
    parser.add_argument("--frames", type=int, nargs="+", default=[37, 90], help="lengths of sequences")
    parser.add_argument("--items", type=int, default=3, help="of each length")
    options = parser.parse_args()
    session = onnxruntime.InferenceSession(options.onnx)
    draw = numpy.random.default_rng(1)
    with h5py.File(options.file) as file:
        model = model_of(file)
        inputs = json.loads(file.attrs["inputs"])
        statistics = {i["name"]: [file[f"serval/normaliser/{i['name']}/{what}"][()] for what in ("mean", "scale")]
                      for i in inputs}
        wanted = set(map(text, file.attrs["layer_names"]))
    missing = wanted - {layer.name for layer in model.layers}
    if missing:
        raise SystemExit(f"layers of the file that the model lacks: {sorted(missing)}")
    model.load_weights(options.file, by_name=True)
    worst, spread = 0.0, []
    for frames in options.frames:
        given, fed = {}, []
        for entry in inputs:
            mean, scale = statistics[entry["name"]]
            standing = entry["kind"] == "vector"
            length = entry["shape"][1] if entry["kind"] == "image" else frames
            shape = (options.items, len(mean)) if standing else (options.items, length, len(mean))
            x = (mean + draw.normal(size=shape) / scale).astype("float32")
            given[entry["name"]] = x
            if not standing:
                given[entry["name"] + "_lengths"] = numpy.full(options.items, length, dtype="int64")
            x = (x - mean) * scale
            if entry["kind"] == "image":  # [item, frame, band] as [item, band, frame, 1]
                if entry["shape"] != [len(mean), length, 1]:
                    raise SystemExit(f"images {entry['shape']} are not made here")
                x = numpy.swapaxes(x, 1, 2)[..., None]
            fed.append(x)
        ours = session.run(["probabilities"], given)[0]
        theirs = model.predict(fed, verbose=0)
        worst = max(worst, float(numpy.abs(ours - theirs).max()))
        spread.extend(ours)
    print(f"{options.file}: probabilities differ by {worst:.2e} at most, over {len(spread)} items; among themselves these "
          f"differ by up to {numpy.ptp(numpy.stack(spread), axis=0).max():.2e}")
    if not worst <= 1e-4:
        raise SystemExit(8)


if __name__ == "__main__":
    main()
