# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pairs of folders, A and B, that a sync program keeps equal. `changed()` tells it that A has changed, where it wants to be told."""
import http.client
import resource
import shutil
import subprocess
import threading
import xml.etree.ElementTree as ElementTree

from measure.processes import Process, Tree, free_port, wait_until
from measure.systems.clouddocs import EMAIL, PASSWORD, CloudDocs


class Pair:
    name = ""

    def __init__(self, bench):
        self.bench, self.folder = bench, bench.folder(self.name)
        self.a, self.b = self.folder / "A", self.folder / "B"
        self.a.mkdir()
        self.b.mkdir()
        self.processes = []

    def __enter__(self):
        try:
            self.start()
            self._prove()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _prove(self):
        """Both sides are up when a first file has gone through."""
        (self.a / "first.txt").write_text("first")
        self.changed()
        wait_until((self.b / "first.txt").exists, f"{self.name} synced nothing", timeout=90, pause=0.02)

    def start(self):
        """Starts what stays resident."""

    def stop(self):
        for process in reversed(self.processes):
            process.stop()

    def changed(self):
        """A has changed."""

    def check(self):
        for process in self.processes:
            process.check()

    def cpu_seconds(self):
        return Tree(*(process.pid for process in self.processes)).cpu_seconds()


class CloudDocsPair(Pair):
    """A server, and a resident device on either folder."""

    name = "clouddocs"

    def start(self):
        self.server = CloudDocs(self.bench, self.folder / "server").start()
        self.processes.append(self.server.process)
        self.server.token()
        program = self.bench.program("clouddocs")
        for side in (self.a, self.b):
            home = {"CLOUDDOCS_HOME": str(self.folder / f"home-{side.name}")}
            subprocess.run([program, "login", f"http://127.0.0.1:{self.server.port}", "--email", EMAIL, "--device-name", side.name,
                            "--password-stdin"], input=PASSWORD + "\n", text=True, check=True, capture_output=True, timeout=60,
                           env={"PATH": "/usr/bin:/bin", **home})
            self.processes.append(Process([program, "sync", side], self.folder / f"sync-{side.name}.log", home))


class RsyncPair(Pair):
    """rsync into a middle folder, and from there to B."""

    name = "rsync"
    delta = False

    def start(self):
        self.middle, self.cpu = self.folder / "middle", 0.0
        self.middle.mkdir()

    def changed(self):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        options = ["-a", "--no-whole-file"] if self.delta else ["-a"]
        for source, target in ((self.a, self.middle), (self.middle, self.b)):
            subprocess.run(["rsync", *options, f"{source}/", f"{target}/"], check=True, timeout=900)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.cpu += after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def cpu_seconds(self):
        return self.cpu


class SyncthingPair(Pair):
    """Two instances that know only each other."""

    name = "syncthing"

    def start(self):
        homes, ids, ports = {}, {}, {}
        for side in "AB":
            homes[side], ports[side] = self.folder / f"home-{side}", (free_port(), free_port())
            subprocess.run(["syncthing", "generate", f"--home={homes[side]}", "--no-default-folder"],
                           check=True, capture_output=True, timeout=60)
            ids[side] = subprocess.run(["syncthing", "--device-id", f"--home={homes[side]}"], check=True, capture_output=True,
                                       text=True, timeout=60).stdout.strip()
        self.key, self.gui = "bench-key", ports["A"][1]
        for side in "AB":
            self._configure(homes[side] / "config.xml", side, ids, ports)
            folder = self.a if side == "A" else self.b
            (folder / ".stfolder").mkdir()
            self.processes.append(Process(["syncthing", "serve", f"--home={homes[side]}", "--no-browser", "--no-restart",
                                           "--no-upgrade"], self.folder / f"syncthing-{side}.log",
                                          {"STNODEFAULTFOLDER": "1", "STNOUPGRADE": "1"}))
        wait_until(self._is_up, "Syncthing did not start", timeout=60, pause=0.05)

    def _configure(self, path, side, ids, ports):
        tree = ElementTree.parse(path)
        root = tree.getroot()
        for old in root.findall("folder") + root.findall("device"):
            root.remove(old)
        folder = ElementTree.SubElement(root, "folder", id="bench", label="bench", type="sendreceive",
                                        path=str(self.a if side == "A" else self.b))
        for name, device_id in ids.items():
            ElementTree.SubElement(folder, "device", id=device_id)
            device = ElementTree.SubElement(root, "device", id=device_id, name=name, compression="metadata")
            ElementTree.SubElement(device, "address").text = f"tcp://127.0.0.1:{ports[name][0]}"
        root.find("gui/address").text = f"127.0.0.1:{ports[side][1]}"
        root.find("gui/apikey").text = self.key
        options = root.find("options")
        for old in options.findall("listenAddress"):
            options.remove(old)
        ElementTree.SubElement(options, "listenAddress").text = f"tcp://127.0.0.1:{ports[side][0]}"
        for name, value in {"globalAnnounceEnabled": "false", "localAnnounceEnabled": "false", "relaysEnabled": "false",
                            "natEnabled": "false", "urAccepted": "-1", "startBrowser": "false", "crashReportingEnabled": "false",
                            "autoUpgradeIntervalH": "0", "reconnectionIntervalS": "1"}.items():
            found = options.find(name)
            (found if found is not None else ElementTree.SubElement(options, name)).text = value
        tree.write(path)

    def _call(self, method, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.gui, timeout=600)
        try:
            connection.request(method, path, headers={"X-API-Key": self.key})
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()

    def _is_up(self):
        self.check()
        return self._call("GET", "/rest/system/ping") == 200

    def changed(self):
        # The call ends with the scan, so it runs beside the wait.
        threading.Thread(target=self._call, args=("POST", "/rest/db/scan?folder=bench"), daemon=True).start()
