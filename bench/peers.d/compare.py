"""Runs each collector against the same simulated appliance, in peace and with kills, and prints what the appliance's
ledger says of it:

  bench/peers.d/compare.py SESSIONLOGD FLEET_SIM BENTHOS TELEGRAF JSON_FILE

The others do not log in and list: they are given a token and the ids of all sessions that there will be.
"""

import concurrent.futures
import json
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time

import collectors
import judge
import running

WARM_UP, TAIL, LONGEST = 3, 3, 45  # seconds: before what is measured; after all was read; until all is read
SEED = int(os.environ.get("SEED", "7"))
# Rows that are not as documented are left out: sessionlogd has events of their own for them.
OPTIONS = ["--sessions", "100", "--entries", "40", "--hostile", "0", "--max-lifetime", "150", "--seed", str(SEED),
           "--poll", "interval=1s", "--poll", "max_interval=1s", "--poll", "rate=1000/s"]
SECONDS_OF_PEACE, SECONDS_WITH_KILLS = 20, 75


def sessions_to_come(fleet_sim, folder):
    fleet = running.Fleet(fleet_sim, folder, [*OPTIONS, "--static"])
    try:
        return fleet.listed()
    finally:
        fleet.stop()


def moments_of_kills():
    """A kill comes when something was written after its moment, so in the middle of work. The moments are 30 s and more
    apart: sessionlogd logs in no sooner again, and whoever waits for that has nothing to lose."""
    chance = random.Random(SEED)
    return [0, chance.uniform(33, 37), chance.uniform(67, 71)]


class Run:
    """One collector against one fleet: what the ledger says afterwards, and what the kernel said meanwhile."""

    def __init__(self, collector, fleet_sim, sessions, folder, seconds, kills):
        self.fleet = running.Fleet(fleet_sim, folder, [*OPTIONS, "--duration", str(seconds)])
        self.fleet.sessions = sessions
        self.seconds, self.kills = seconds, list(kills)
        self.began = time.time_ns()
        self.output = collectors.output(folder)
        self.sizes = [(self.began, 0)]
        self.process = None
        try:
            log = folder.with_name(folder.name + ".log")
            self.process = running.Running(collector.configure(folder, self.fleet), log)
            self.watch()
        finally:
            if self.process:
                self.process.stop()
            self.fleet.stop()
        self.look()
        self.verdict = judge.Verdict(folder / "ledger.ndjson", self.output, collector.read, self.sizes)

    def age(self):
        return (time.time_ns() - self.began) / 1e9

    def look(self):
        """Whether there is more in the output than before."""
        size = self.output.stat().st_size if self.output.exists() else 0
        grows = size > self.sizes[-1][1]
        if grows:
            self.sizes.append((time.time_ns(), size))
        return grows

    def watch(self):
        self.follow_until(WARM_UP)
        cpu, requests = self.process.cpu_seconds(), self.fleet.says("requests")
        self.follow_until(self.seconds)
        self.cpu_per_1000 = (self.process.cpu_seconds() - cpu) * 1000 / (self.fleet.says("requests") - requests)
        end = self.seconds + LONGEST
        while not self.fleet.says("caught_up") and self.age() < end:
            self.follow_until(self.age() + 0.5)
        self.follow_until(self.age() + TAIL)
        self.process.check()
        self.peak_mib = self.process.peak_mib()

    def follow_until(self, age):
        while self.age() < age:
            grows = self.look()
            is_due = self.kills and self.age() > self.kills[0]
            if is_due and grows:
                self.kills.pop(0)
                self.process.kill_and_start()
            time.sleep(0.001 if is_due else 0.02)

    def delay(self, share):
        return round(self.verdict.delay(share, self.began + WARM_UP * 10**9), 2)


def figures(peace, killed):
    """What the table says of a collector, by row. After a kill, equal entries that were lost and others that came twice
    cannot be told apart, so they are left out there."""
    quiet, rough = peace.verdict.counts, killed.verdict.counts
    return {
        "entries served": quiet["served"],
        "entries written": quiet["written"],
        "lost": quiet["lost"],
        "lost of equal entries": quiet["lost, twins"],
        "repeated": quiet["repeated"],
        "changes served": quiet["changes served"],
        "changes written": quiet["changes written"],
        "last form missing": quiet["last form missing"],
        "written out of order": quiet["out of order"],
        "requests": peace.verdict.account["requests"],
        "most requests at once": peace.verdict.account["most_in_flight"],
        "CPU s per 1,000 requests": round(peace.cpu_per_1000, 2),
        "delay of a new entry, median, s": peace.delay(0.5),
        "delay of a new entry, p95, s": peace.delay(0.95),
        "peak of memory, MiB": round(peace.peak_mib),
        "three kill -9: entries served": rough["served"],
        "three kill -9: lost": rough["lost"],
        "three kill -9: last form missing": rough["last form missing"],
        "three kill -9: repeated": rough["repeated"],
        "three kill -9: torn lines": rough["torn"],
        "three kill -9: longest delay, s": killed.delay(1),
        "lines of nothing that was served": quiet["foreign"] + rough["foreign"],
    }


def measure(everyone, fleet_sim, sessions, work):
    """In peace one after another, since time counts; then killed, all at once."""
    def run(collector, suffix, seconds, kills):
        return Run(collector, fleet_sim, sessions, work / (collector.key + suffix), seconds, kills)

    peace = []
    for collector in everyone:
        print(f"measuring {collector.name}", file=sys.stderr)
        peace.append(run(collector, "", SECONDS_OF_PEACE, []))
    print("killing", file=sys.stderr)
    with concurrent.futures.ThreadPoolExecutor(len(everyone)) as pool:
        killed = pool.map(lambda each: run(each, "-killed", SECONDS_WITH_KILLS, moments_of_kills()), everyone)
        return {each.name: figures(quiet, rough) for each, quiet, rough in zip(everyone, peace, killed)}


def print_table(columns):
    print(f"{'':34}" + "".join(f"{name:>26}" for name in columns))
    for row in next(iter(columns.values())):
        print(f"{row:34}" + "".join(f"{column[row]:>26}" for column in columns.values()))


def main(daemon, fleet_sim, benthos, telegraf, json_file):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is ended, too
    work = pathlib.Path(tempfile.mkdtemp(prefix="sessionlogd-peers-"))
    everyone = [collectors.sessionlogd(daemon), collectors.redpanda_connect(benthos, "memory"),
                collectors.redpanda_connect(benthos, "file"), collectors.telegraf(telegraf)]
    try:
        sessions = sessions_to_come(fleet_sim, work / "to-come")
        columns = measure(everyone, fleet_sim, sessions, work)
    finally:
        if "KEEP" in os.environ:
            print(f"kept: {work}", file=sys.stderr)
        else:
            shutil.rmtree(work)
    print_table(columns)
    pathlib.Path(json_file).write_text(json.dumps({"seed": SEED, "sessions": len(sessions), **columns}, indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
