"""The child process of a headless run: papermill on one notebook, a job as JSON on stdin.

A process of its own keeps the runner's environment untouched, and its output is the run's log.
"""

import json
import logging
import sys
from typing import Any

KERNEL = "python3"
START_TIMEOUT = 60


def execute(job: dict[str, Any]) -> int:
    """Run the job's notebook; 0 when every cell ran, 1 when one did not."""
    import papermill

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    try:
        papermill.execute_notebook(
            job["notebook"],
            job["output"],
            parameters=job["parameters"],
            cwd=job["cwd"],
            kernel_name=KERNEL,
            progress_bar=False,
            start_timeout=START_TIMEOUT,
            execution_timeout=job["timeout"],
        )
    except papermill.PapermillExecutionError:
        return 1  # the notebook holds the error
    except TimeoutError:
        print(f"a cell took longer than {job['timeout']} s and was stopped", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(execute(json.load(sys.stdin)))
