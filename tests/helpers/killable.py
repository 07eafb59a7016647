"""Runs that can be killed: a process that has loaded everything forks one for each line `OUT SOURCE` that it reads.

It answers with the process's id, and, when that has ended, with its exit code (negative: the signal).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from runs import light

from caseframe.batch import plan
from caseframe.batch.run import run_extraction
from caseframe.batch.shard import load_pipeline


def main() -> None:
    plan.SMALLEST = 1000
    load_pipeline(light())
    print("ready", flush=True)
    for line in sys.stdin:
        out, source = map(Path, line.split())
        process = os.fork()
        if not process:
            run_extraction([source], out, light(), resume=True)
            os._exit(0)
        print(process, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
