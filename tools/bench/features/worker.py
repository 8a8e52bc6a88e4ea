"""One rival, kept alive between rounds, so that neither its imports nor its first call are timed.

    worker.py RIVAL CLIPS TASK SHARE OF     works on clips SHARE, SHARE + OF, ...

Commands and answers are those of serval_features_bench, with `versions` besides.
"""
import sys
import time

import numpy as np

import clips
import rivals


def main():
    name, path, task, share, of = sys.argv[1:]
    rival = rivals.RIVALS[name]()
    prepare = getattr(rival, "prepare", lambda clip: clip)
    read = getattr(rival, "read", lambda made: made)
    inputs = [prepare(clip) for clip in clips.read_clips(path)[0][int(share) :: int(of)]]
    for line in sys.stdin:
        command = line.split()
        if command == ["run"]:
            processor_s, started_s = time.process_time(), time.perf_counter()
            for clip in inputs:
                rival.compute(task, clip)
            print(time.perf_counter() - started_s, time.process_time() - processor_s, len(inputs), flush=True)
        elif command[0] == "dump":
            dimensions = []
            with open(command[1], "wb") as file:
                for clip in inputs:
                    matrices = read(rival.compute(task, clip))
                    dimensions = [matrix.shape[1] for matrix in matrices]
                    np.concatenate(matrices, axis=1).astype(np.float32).tofile(file)
            print("dimension", sum(dimensions), flush=True)
        elif command == ["versions"]:
            print(rival.versions(), flush=True)
        else:
            raise SystemExit(f"the commands are run, dump PATH and versions, not {line!r}")


if __name__ == "__main__":
    main()
