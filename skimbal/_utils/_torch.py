"""The few places where torch's global state and the machine matter: device, threads, memory."""

import importlib
import sys
from contextlib import contextmanager

import psutil
import torch

from skimbal._utils._signals import sigint_deferred


def resolve_device(device):
    """Return the torch device that `device` names; "auto" is the first CUDA card, else the CPU."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise ValueError(
            f"unknown device {device!r}; use 'auto', 'cpu', 'cuda', 'cuda:<index>' or 'mps'"
        ) from error
    n_devices = {
        "cpu": 1,
        "cuda": torch.cuda.device_count(),
        "mps": int(torch.backends.mps.is_available()),
    }.get(resolved.type, 0)
    if (resolved.index or 0) >= n_devices:
        raise ValueError(
            f"device {device!r} is not on this machine, which has {n_devices} of type "
            f"{resolved.type!r}; use device='auto' or 'cpu'"
        )
    return resolved


@contextmanager
def torch_threads(n_threads):
    """Run a block with `n_threads` torch threads and restore the former number after it."""
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def free_memory(device="cpu"):
    """Bytes that a new object on a device could take; in main memory, without swapping."""
    device = torch.device(device)
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return psutil.virtual_memory().available


def import_compiler():
    """Import what torch imports in the first module or step of an optimizer; it takes seconds.

    A Ctrl-C is put off meanwhile: after half of that import no later fit of the process works.
    """
    if "torch._dynamo" not in sys.modules:
        with sigint_deferred():
            importlib.import_module("torch._dynamo")
