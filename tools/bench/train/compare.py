#!/usr/bin/env python3
"""Serval against PyTorch: training steps of the same networks, from the same weights, on the same data.

  compare.py --serval build/cpu/serval [--work FOLDER] [--rounds 7] [--seconds 2] [--only NAME] [--device cuda]

For each network: `serval bench train --dump` leaves weights and data; PyTorch starts from them, and the losses of 20 steps
must agree. Then both are timed in turn, round by round, and the medians of the rounds' ratios are printed as a
Markdown table: PyTorch's time over Serval's. With --folds, six models at once on two threads against one PyTorch
process that trains them one after the other (the better of one and two threads), and against two PyTorch processes of
one thread each. On a GPU: PyTorch eagerly and with a step as one CUDA graph, and with --folds eleven models at once
against PyTorch's steps one after the other and against one model. Needs PyTorch; run nothing else meanwhile.
"""
import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
NETWORKS = HERE.parents[2] / "experiments/networks"

LSTM = '{"classes": 8, "layers": [{"type": "lstm", "hidden": %d}, {"type": "last_pool"}, {"type": "dense"}]}'
# name: (network, arguments of serval bench train)
CASES = {
    "LSTM 120 to 128, batch 64, 150 frames": (LSTM % 128, ["--input", "120", "--batch", "64", "--frames", "150"]),
    "LSTM 40 to 64, batch 32, 100 frames": (LSTM % 64, ["--input", "40", "--batch", "32", "--frames", "100"]),
    "CNN-LSTM, batch 32": (NETWORKS / "cnn_lstm_mfcc.json", ["--batch", "32"]),
    "CNN-LSTM over time, batch 32": (NETWORKS / "cnn_lstm_mfcc_time.json", ["--batch", "32"]),
}


def serval(program, network, arguments, seconds, threads=1, models=1, dump=None, device="cpu"):
    command = [program, "bench", "train", network, *arguments, "--device", device, "--threads", str(threads), "--models",
               str(models), "--seconds", str(seconds), "--json"]
    done = subprocess.run(command + (["--dump", str(dump)] if dump else []), capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


class Torch:
    """A PyTorch process with its own number of threads."""

    def __init__(self, folder, threads, mode="cpu"):
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
        environment.pop("LD_LIBRARY_PATH", None)  # PyTorch brings its own
        self.process = subprocess.Popen([sys.executable, HERE / "torch_worker.py", folder, str(threads), mode], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        self.losses = json.loads(self.process.stdout.readline())["losses"]

    def start(self, seconds):
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()

    def result(self):
        return json.loads(self.process.stdout.readline())

    def steps(self, seconds):
        self.start(seconds)
        return self.result()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def spread(values):
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serval", required=True)
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("/tmp/serval-bench-train"))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--only", default="")
    parser.add_argument("--folds", action="store_true")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    args = parser.parse_args()
    if args.device == "cuda":
        return on_gpu(args)
    print("| network | Serval, ms a step | PyTorch, ms a step | ratio | memory, MiB: Serval | PyTorch | losses differ by |")
    print("|---|---|---|---|---|---|---|")
    for name, (network, arguments) in CASES.items():
        if args.only not in name:
            continue
        folder, network = prepared(args, name, network)
        first = serval(args.serval, network, arguments, 0.2, dump=folder)
        torch = Torch(folder, 1)
        apart = losses_apart(name, first, torch)
        own, other, ratios = [], [], []
        for _ in range(args.rounds):
            mine = serval(args.serval, network, arguments, args.seconds)
            theirs = torch.steps(args.seconds)
            own.append(1e3 * mine["step_s"]["median"])
            other.append(1e3 * theirs["step_s"])
            ratios.append(other[-1] / own[-1])
        print(f"| {name} | {statistics.median(own):.2f} | {statistics.median(other):.2f} | {spread(ratios)} | "
              f"{mine['growth_bytes'] / 2**20:.0f} | {theirs['growth_bytes'] / 2**20:.0f} | {apart:.1e} |", flush=True)
        torch.close()
        if args.folds:
            folds(args, name, network, arguments, folder)


def prepared(args, name, network):
    folder = args.work / "".join(c if c.isalnum() else "_" for c in name)
    folder.mkdir(parents=True, exist_ok=True)
    text = network if isinstance(network, str) else network.read_text()
    # Both sides would drop other units.
    (folder / "given.json").write_text(re.sub(r'"rate": [0-9.]+', '"rate": 0', text))
    return folder, folder / "given.json"


def losses_apart(name, first, torch):
    apart = max(abs(a - b) for a, b in zip(first["losses"], torch.losses))
    # Adam's first steps have the size of the rate whatever the gradient's: of a large convolutional network, weights
    # whose gradient is next to nothing go either way, and the courses part slowly. The first loss has no such excuse.
    start = abs(first["losses"][0] - torch.losses[0])
    if len(torch.losses) != 20 or start > 1e-5 or apart > (0.1 if "CNN" in name else 1e-4):
        sys.exit(f"{name}: losses differ by {apart}: {first['losses']} and {torch.losses}")
    return apart


def on_gpu(args):
    models = 11
    print("| network | Serval, ms a step | PyTorch eager | ratio | PyTorch with graphs | ratio | losses differ by |", end="")
    print(f" {models} models at once, ms a step of all | times one model | against PyTorch one after the other |"
          if args.folds else "")
    print("|---|---|---|---|---|---|---|" + ("---|---|---|" if args.folds else ""))
    for name, (network, arguments) in CASES.items():
        if args.only not in name:
            continue
        folder, network = prepared(args, name, network)
        first = serval(args.serval, network, arguments, 0.2, dump=folder, device="cuda")
        eager, graphs = Torch(folder, 1, "cuda"), Torch(folder, 1, "graphs")
        apart = losses_apart(name, first, eager)
        own, all_own, plain, replayed = [], [], [], []
        for _ in range(args.rounds):
            own.append(1e3 * serval(args.serval, network, arguments, args.seconds, device="cuda")["step_s"]["median"])
            plain.append(1e3 * eager.steps(args.seconds)["step_s"])
            replayed.append(1e3 * graphs.steps(args.seconds)["step_s"])
            if args.folds:
                all_own.append(1e3 * models / serval(args.serval, network, arguments, args.seconds, threads=models,
                                                     models=models, device="cuda")["steps_per_s"])
        row = [name, f"{statistics.median(own):.3f}", f"{statistics.median(plain):.3f}",
               spread([b / a for a, b in zip(own, plain)]), f"{statistics.median(replayed):.3f}",
               spread([b / a for a, b in zip(own, replayed)]), f"{apart:.1e}"]
        if args.folds:
            row += [f"{statistics.median(all_own):.3f}", spread([b / a for a, b in zip(own, all_own)]),
                    spread([models * b / a for a, b in zip(all_own, plain)])]
        print("| " + " | ".join(row) + " |", flush=True)
        eager.close()
        graphs.close()


def folds(args, name, network, arguments, folder):
    workers = {1: Torch(folder, 1), 2: Torch(folder, 2), "second": Torch(folder, 1)}
    serially, side_by_side = [], []
    for _ in range(args.rounds):
        mine = serval(args.serval, network, arguments, args.seconds, threads=2, models=6)["steps_per_s"]
        best = max(1 / workers[threads].steps(args.seconds)["step_s"] for threads in (1, 2))
        started = time.perf_counter()
        for worker in (1, "second"):
            workers[worker].start(args.seconds)
        both = sum(1 / workers[worker].result()["step_s"] for worker in (1, "second"))
        assert time.perf_counter() - started < 2 * args.seconds + 2
        serially.append(mine / best)
        side_by_side.append(mine / both)
    print(f"| {name}: six models on two threads | | | {spread(serially)} of one PyTorch process, {spread(side_by_side)} of "
          "two | | | |", flush=True)
    for worker in workers.values():
        worker.close()


if __name__ == "__main__":
    main()
