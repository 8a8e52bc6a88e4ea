"""The program that the package carries."""

import os
import sys
from pathlib import Path

PROGRAM = Path(__file__).parent / "bin" / "serval"


def main():
    os.execv(PROGRAM, [str(PROGRAM), *sys.argv[1:]])
