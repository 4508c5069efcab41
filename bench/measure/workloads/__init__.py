"""One module per workload: `TITLE`, and `run(bench)` that gives the rows of the table."""
from importlib import import_module

NAMES = {
    "W1": "listing", "W2": "upload", "W3": "download", "W4": "small_files", "W4b": "small_files_batched",
    "W5": "fan_out", "W5b": "idle_sockets", "W6": "sync_files", "W6l": "sync_latency", "W7": "cold_start",
}


def load(name):
    return import_module(f"measure.workloads.{NAMES[name]}")
