#!/usr/bin/env python3
"""PyTorch's side of compare.py: torch_worker.py FOLDER THREADS [cuda|graphs].

Prints the losses of the first 20 steps; then, for each line of standard input, trains for so many seconds and prints the
median time of a step. On a GPU one time is that of ten steps, which need not wait for each other; with `graphs`, a step
is one CUDA graph.
"""
import json
import statistics
import sys
import time


def status(name):
    with open("/proc/self/status") as lines:
        for line in lines:
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024
    raise SystemExit(f"no {name} in /proc/self/status")


def main():
    import torch
    from torch_network import Training

    mode = sys.argv[3] if len(sys.argv) > 3 else "cpu"
    on_gpu = mode != "cpu"
    torch.set_num_threads(int(sys.argv[2]))
    torch.manual_seed(1)
    before = status("VmRSS")
    training = Training(sys.argv[1], "cuda" if on_gpu else "cpu")
    print(json.dumps({"losses": [training.step().item() for _ in range(20)]}), flush=True)
    if mode == "graphs":
        training.capture()
    steps = 10 if on_gpu else 1
    for line in sys.stdin:
        seconds, times = float(line), []
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            started = time.perf_counter()
            for _ in range(steps):
                training.step()
            if on_gpu:
                torch.cuda.synchronize()
            times.append((time.perf_counter() - started) / steps)
        print(json.dumps({"step_s": statistics.median(times), "growth_bytes": status("VmHWM") - before}), flush=True)


if __name__ == "__main__":
    main()
