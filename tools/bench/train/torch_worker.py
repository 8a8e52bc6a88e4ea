#!/usr/bin/env python3
"""PyTorch's side of compare.py: torch_worker.py FOLDER THREADS.

Prints the losses of the first 20 steps; then, for each line of standard input, trains for so many seconds and prints the
median time of a step.
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

    torch.set_num_threads(int(sys.argv[2]))
    torch.manual_seed(1)
    before = status("VmRSS")
    training = Training(sys.argv[1])
    print(json.dumps({"losses": [training.step().item() for _ in range(20)]}), flush=True)
    for line in sys.stdin:
        seconds, times = float(line), []
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            started = time.perf_counter()
            training.step()
            times.append(time.perf_counter() - started)
        print(json.dumps({"step_s": statistics.median(times), "growth_bytes": status("VmHWM") - before}), flush=True)


if __name__ == "__main__":
    main()
