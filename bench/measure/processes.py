# SPDX-License-Identifier: AGPL-3.0-or-later
"""Starting and stopping servers, and what they cost: CPU seconds and memory of a process with all its descendants."""
import http.client
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
MIB = 1 << 20


def available_memory():
    """Bytes that programs can have without swapping."""
    with open("/proc/meminfo", encoding="ascii") as lines:
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:"))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _read(path):
    try:
        return Path(path).read_text()
    except OSError:  # the process has ended
        return ""


def descendants(pid):
    """The process and all below it that live now."""
    found, queue = [], [pid]
    while queue:
        current = queue.pop()
        found.append(current)
        try:
            threads = os.listdir(f"/proc/{current}/task")
        except OSError:
            continue
        for thread in threads:
            queue += [int(child) for child in _read(f"/proc/{current}/task/{thread}/children").split()]
    return found


class Tree:
    """Some processes with all their descendants."""

    def __init__(self, *pids):
        self.roots = pids

    def pids(self):
        return [pid for root in self.roots for pid in descendants(root)]

    def cpu_seconds(self):
        """User and system time of all, ended children included."""
        ticks = 0
        for pid in self.pids():
            fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
            ticks += sum(int(value) for value in fields[11:15])
        return ticks / TICK

    def _sum(self, file, label):
        total = 0
        for pid in self.pids():
            for line in _read(f"/proc/{pid}/{file}").splitlines():
                if line.startswith(label):
                    total += int(line.split()[1])
        return total / 1024

    def pss_mib(self):
        """Memory in MiB; what several processes share is counted once."""
        return self._sum("smaps_rollup", "Pss:")

    def anonymous_mib(self):
        return self._sum("status", "RssAnon:")


class Usage:
    """Measures a block: wall time, CPU seconds, and peak memory (memory before plus the largest growth of private memory)."""

    def __init__(self, tree, with_memory=False):
        self.tree, self.with_memory = tree, with_memory
        self.seconds = self.cpu = self.peak_mib = 0.0

    def __enter__(self):
        if self.with_memory:
            self._base, self._anonymous = self.tree.pss_mib(), self.tree.anonymous_mib()
            self._peak, self._stop = self._anonymous, threading.Event()
            self._sampler = threading.Thread(target=self._sample, daemon=True)
            self._sampler.start()
        self._cpu, self._start = self.tree.cpu_seconds(), time.monotonic()
        return self

    def _sample(self):
        while not self._stop.wait(0.05):
            self._peak = max(self._peak, self.tree.anonymous_mib())

    def __exit__(self, *_):
        self.seconds = time.monotonic() - self._start
        self.cpu = self.tree.cpu_seconds() - self._cpu
        if self.with_memory:
            self._stop.set()
            self._sampler.join()
            self.peak_mib = self._base + self._peak - self._anonymous


class Process:
    """A child process whose output goes to a file."""

    def __init__(self, command, log, env=None, **options):
        self.command, self.log = [str(part) for part in command], Path(log)
        with open(self.log, "ab") as output:
            self.popen = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                          env={**os.environ, **(env or {})}, start_new_session=True, **options)

    @property
    def pid(self):
        return self.popen.pid

    def check(self):
        if self.popen.poll() is not None:
            raise RuntimeError(f"{self.command[0]} ended with {self.popen.returncode}:\n{self.log.read_text()[-2000:]}")

    def stop(self, how=signal.SIGTERM, timeout=20):
        if self.popen.poll() is None:
            self.popen.send_signal(how)
            try:
                self.popen.wait(timeout)
            except subprocess.TimeoutExpired:
                rest = descendants(self.pid)
                for pid in rest:
                    os.kill(pid, signal.SIGKILL)
                self.popen.wait(timeout)


def wait_until(condition, what, timeout=60, pause=0.005):
    """Polls until `condition()` gives something true, and returns that."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(pause)
    raise RuntimeError(f"waited {timeout} s in vain: {what}")


def answers(port, path="/healthz", context=None):
    """Whether an HTTP server on this port answers 200."""
    connect = http.client.HTTPSConnection if context else http.client.HTTPConnection
    connection = connect("127.0.0.1", port, timeout=5, **({"context": context} if context else {}))
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
