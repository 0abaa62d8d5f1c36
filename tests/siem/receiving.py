"""What the tests of receivers share: an output that grows and rotates as the daemon's does, and a place where what a receiver
sends on arrives."""

import collections
import os
import pathlib
import socket
import subprocess
import threading
import time

PATIENCE = 90  # seconds in which everything must have arrived
QUIET = 1  # seconds without news after which no more is expected
BLANKS = b" " * 300_000 + b"\n"  # what a recovery makes of a torn commit
SHIPPED = pathlib.Path(__file__).parent.parent.parent / "package" / "siem"


def events_in(path):
    """The lines of a file of write_events, without the blanks of a recovery."""
    return [line for line in path.read_bytes().split(b"\n") if line.strip(b" ")]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def shipped(name, places):
    """A configuration as it is installed, with this test's places and addresses in it."""
    text = (SHIPPED / name).read_text()
    for shown, used in places.items():
        assert shown in text, f"{name} does not name {shown}"
        text = text.replace(shown, str(used))
    return text


class Output:
    """The daemon's output: grows at its end, and is renamed when it is rotated. Of the files before all but the newest go, as those
    do that are compressed."""

    def __init__(self, folder, suffix=".log"):
        self.folder, self.suffix, self.rotated = folder, suffix, []
        self.path = folder / f"events{suffix}"

    def append(self, text):
        with open(self.path, "ab") as file:
            file.write(text)

    def rotate(self):
        if self.rotated:
            self.rotated[-1].unlink()
        number = len(self.rotated) + 1
        self.rotated.append(self.path.rename(self.folder / f"events-{number:06}-20261121T204112Z{self.suffix}"))
        self.append(b"")


class Arrivals:
    """What is sent to a TCP port: syslog frames that say their length before them (RFC 6587), or that end with a newline."""

    def __init__(self, counted):
        self.counted, self.frames, self.changed = counted, [], time.monotonic()
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def open(self):
        """Until then it refuses connections, as a SIEM does that is down."""
        self.listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self._read, args=(connection.makefile("rb"),), daemon=True).start()

    def _read(self, stream):
        while frame := self._next(stream):
            self.frames.append(frame)
            self.changed = time.monotonic()

    def _next(self, stream):
        if not self.counted:
            return stream.readline().removesuffix(b"\n")
        length = b""
        while (digit := stream.read(1)) not in (b"", b" "):
            length += digit
        return stream.read(int(length)) if length else b""

    def wait_for(self, count):
        """Until so many frames are there, and no more come."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if len(self.frames) >= count and time.monotonic() - self.changed > QUIET:
                return
            time.sleep(0.05)


class Daemon:
    """A process that may be started again."""

    def __init__(self, command, folder, libraries=()):
        self.command, self.log = command, folder / "daemon.log"
        self.environment = dict(os.environ, LD_LIBRARY_PATH=":".join(map(str, libraries)))
        self.process = None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, env=self.environment)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def said(self):
        return self.log.read_text(errors="replace")[-2000:]


def rsyslog(root, folder, configuration):
    """rsyslog, unpacked in `root`, with a drop-in as Debian's own configuration includes it."""
    (folder / "sessionlogd.conf").write_text(configuration)
    (folder / "rsyslog.conf").write_text(
        f'global(workDirectory="{folder}")\n'
        'module(load="imuxsock" SysSock.Use="off")\n'
        f'include(file="{folder}/sessionlogd.conf")\n'
    )
    libraries = next(root.glob("usr/lib/*/rsyslog"))
    command = [root / "usr/sbin/rsyslogd", "-n", "-C", "-M", libraries, "-f", folder / "rsyslog.conf", "-i", folder / "pid"]
    return Daemon(command, folder, [libraries.parent])


def feed(lines, output, daemon, arrivals):
    """Every way in which lines come: there before the receiver is, while the SIEM is down, half of one first, before and behind
    rotations, and while the receiver is down. Not behind a rotation while it is down: what the file before had more, receivers never
    read, as the page says."""
    parts = [lines[at::12] for at in range(12)]
    text = [b"\n".join(part) + b"\n" for part in parts]

    def wait_for(number_of_parts):
        arrivals.wait_for(sum(map(len, parts[:number_of_parts])))

    output.append(text[0])
    daemon.start()
    time.sleep(QUIET)  # it finds the SIEM down
    arrivals.open()
    wait_for(1)
    half = len(parts[1][0]) // 2
    output.append(text[1][:half])
    wait_for(1)  # a receiver that takes half a line has the time to do so
    output.append(text[1][half:])
    wait_for(2)
    output.append(text[2] + BLANKS)
    for number in range(3, 11):
        output.rotate()
        output.append(text[number])
        wait_for(number + 1)
    daemon.stop()
    output.append(text[11])
    daemon.start()
    wait_for(12)
    daemon.stop()


def compare(what, sent, came, daemon):
    """Whether what came is what was sent, in whatever order. Says what is missing, and what came twice or changed."""
    missing, more = (collections.Counter(a) - collections.Counter(b) for a, b in ((sent, came), (came, sent)))
    print(f"{what}: {len(sent)} events sent, {len(came)} came, {missing.total()} missing, {more.total()} twice or changed")
    for found, word in ((missing, "missing"), (more, "came")):
        for line in list(found)[:3]:
            print(f"  {word}: {len(line)} bytes: {line[:200]!r} ... {line[-60:]!r}")
    if missing or more:
        print(daemon.said())
    return not missing and not more
