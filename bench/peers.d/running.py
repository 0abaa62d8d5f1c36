"""A simulated fleet and a collector as processes: what is asked of them, and what the kernel says of them."""

import json
import os
import pathlib
import re
import subprocess
import time
import urllib.parse
import urllib.request

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
TICKS = os.sysconf("SC_CLK_TCK")


def fetch(url, data=None, headers={}):
    with DIRECT.open(urllib.request.Request(url, data, headers), timeout=5) as response:
        return json.load(response)


class Fleet:
    """One appliance of Azure. Its sessions have the same ids whenever the seed is the same."""

    def __init__(self, binary, folder, options):
        self.folder = folder
        self.log = folder.with_name(folder.name + ".fleet.log")
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [binary, "serve", "--dialect", "azure", "--out", folder, *options], stdout=log, stderr=log)
        ready = self.wait_for(r"ready .*first=(\S+) control=(\S+)", 10)
        self.url, self.control = ready.groups()
        self.sessions = []

    def wait_for(self, pattern, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            if found := re.search(pattern, self.log.read_text()):
                return found
            time.sleep(0.05)
        raise RuntimeError(f"the fleet does not say {pattern}: {self.log.read_text()}")

    def token(self):
        form = {"grant_type": "Password", "username": "collector", "password": (self.folder / "password").read_text()}
        return fetch(self.url + "/api/oauth2/token", urllib.parse.urlencode(form).encode())["access_token"]

    def listed(self):
        rows = fetch(self.url + "/api/v8/jobSessions?Limit=-1", None, {"Authorization": "Bearer " + self.token()})
        return [row["id"] for row in rows["results"]]

    def says(self, field):
        return fetch(self.control)[field]

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)


class Running:
    """A collector, which can be killed and started again."""

    def __init__(self, command, log):
        self.command, self.log = command, log
        self.process = None
        self.start()

    def start(self):
        with self.log.open("a") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def kill_and_start(self):
        self.check()
        self.process.kill()
        self.process.wait()
        self.start()

    def check(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.command[0]} ended by itself: {self.log.read_text()[-2000:]}")

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def peak_mib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status).group(1)) / 1024

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
