#!/usr/bin/env python3
"""The documented command of the optimizer: the same words, done by `gpukeeper optimizer`.

    python scripts/optimize_gpu_resources.py status
    python scripts/optimize_gpu_resources.py allocate embedding-service 4096

gpukeeper is the one that $GPUKEEPER_BINARY names, that of this checkout's build, or the one in $PATH.
"""
import os
import shutil
import sys


def find():
    named = os.environ.get("GPUKEEPER_BINARY")
    built = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "build", "gpukeeper")
    for place in [named] if named else [built, shutil.which("gpukeeper")]:
        if place and os.access(place, os.X_OK):
            return place
    raise SystemExit("gpukeeper is neither built here (./run builds it) nor in $PATH; $GPUKEEPER_BINARY may name it")


def main():
    program = find()
    words = sys.argv[1:] or ["--help"]  # the documented command helps where nothing is asked
    os.execv(program, [program, "optimizer", *words])


if __name__ == "__main__":
    main()
