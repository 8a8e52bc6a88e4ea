#!/usr/bin/env python3
"""Convolutions, and a step of the CNN-LSTM, in Serval and in PyTorch, one thread each, in turn.

  torch_conv.py build/cpu/serval_conv_bench [network.json batch] [--rounds 15]

Prints medians of the times and of the rounds' ratios (above 1: Serval is faster). With a network it must be
experiments/networks/cnn_lstm_mfcc.json, of which this has a twin.
"""
import argparse
import statistics
import subprocess
import time

import torch
import torch.nn.functional as F

BATCH = 8
LAYERS = [(1, 40, 250, 128, 3, 1), (128, 20, 125, 256, 3, 1), (256, 10, 62, 512, 3, 1), (3, 112, 112, 64, 7, 2),
          (64, 28, 28, 128, 1, 1), (96, 13, 13, 256, 5, 1)]  # as in conv_bench.cc


def timed(work):
    start = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - start)


class Layer:
    def __init__(self, channels, height, width, out, kernel, stride):
        self.x = torch.rand(BATCH, channels, height, width) * 2 - 1
        self.w = torch.rand(out, channels, kernel, kernel) * 0.2 - 0.1
        self.b = torch.rand(out)
        self.stride, self.padding = stride, kernel // 2
        self.dy = torch.rand_like(F.conv2d(self.x, self.w, self.b, stride, self.padding))

    def backward(self, x, w):
        torch.ops.aten.convolution_backward(self.dy, self.x, self.w, [len(self.b)], [self.stride] * 2,
                                            [self.padding] * 2, [1, 1], False, [0, 0], 1, [x, w, w])

    def round(self):
        return [timed(lambda: F.relu_(F.conv2d(self.x, self.w, self.b, self.stride, self.padding))),
                timed(lambda: self.backward(False, True)), timed(lambda: self.backward(True, False))]


class CnnLstm(torch.nn.Module):
    def __init__(self, batch):
        super().__init__()
        sizes = (1, 128, 256, 512)
        self.convolutions = torch.nn.ModuleList(torch.nn.Conv2d(a, b, 3, padding=1) for a, b in zip(sizes, sizes[1:]))
        self.norms = torch.nn.ModuleList(torch.nn.BatchNorm2d(b, eps=1e-3, momentum=0.01) for b in sizes[1:])
        self.lstm = torch.nn.LSTM(31 * 512, 128, batch_first=True)
        self.dense, self.last = torch.nn.Linear(128, 128), torch.nn.Linear(128, 8)
        self.x, self.dy = torch.rand(batch, 1, 40, 250) * 2 - 1, torch.rand(batch, 8) * 0.1

    def forward(self, x):
        for convolution, norm in zip(self.convolutions, self.norms):
            x = F.max_pool2d(norm(F.relu(convolution(x))), 2)
        x = x.permute(0, 2, 3, 1).flatten(2)
        x = self.lstm(x)[0][:, -1]
        return self.last(F.dropout(F.relu(self.dense(x)), 0.4))

    def round(self):
        self.zero_grad(set_to_none=True)
        return [timed(lambda: self(self.x).backward(self.dy))]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bench")
    parser.add_argument("network", nargs="?")
    parser.add_argument("batch", nargs="?", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args()
    torch.set_num_threads(1)
    command = [args.bench] + ([args.network, str(args.batch)] if args.network else [])
    serval = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    theirs = [CnnLstm(args.batch)] if args.network else [Layer(*layer) for layer in LAYERS]
    names = ["step"] if args.network else [f"{layer} {what}" for layer in LAYERS
                                           for what in ("forward", "weights", "input")]

    def round_of_serval():
        serval.stdin.write("\n")
        serval.stdin.flush()
        return [float(v) for v in serval.stdout.readline().split()]

    ours_all, theirs_all = [], []
    for index in range(args.rounds + 1):
        ours = round_of_serval()
        other = [v for twin in theirs for v in twin.round()]
        if index > 0:  # the first faults memory in
            ours_all.append(ours)
            theirs_all.append(other)
    serval.stdin.close()
    for i, name in enumerate(names):
        ours, other = [r[i] for r in ours_all], [r[i] for r in theirs_all]
        ratio = statistics.median(b / a for a, b in zip(ours, other))
        print(f"{name:40} Serval {statistics.median(ours):9.2f} ms  PyTorch {statistics.median(other):9.2f} ms  "
              f"ratio {ratio:5.2f}")


if __name__ == "__main__":
    main()
