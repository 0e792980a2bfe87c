"""The most memory that this process has held, of the machine and of its GPU. Knows no subject."""

import resource
import sys

import torch

KIB, GIB = 2**10, 2**30


def peak_gib() -> float:
    """GiB since the process began; the GPU's own memory added where it has one."""
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    n_bytes = resident if sys.platform == "darwin" else resident * KIB
    if torch.cuda.is_available():
        n_bytes += torch.cuda.max_memory_allocated()
    return round(n_bytes / GIB, 3)
