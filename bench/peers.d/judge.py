"""What a collector made of its fleet, by the fleet's own ledger (bench/fleet/ledger.h).

Which entry a line is about, the ledger knows by the number at the end of the message; whether it says something new,
by the form that was served. Nothing here asks what the collector took it for.
"""

import bisect
import collections
import datetime
import json

RUNNING = {"Pending", "Running", "RunningWithWarning", "RunningWithError", "Canceling", "NeverExecuted"}

# What a line says, as it was served; texts that it lacks are empty.
Line = collections.namedtuple("Line", "session message status resource log_time start duration")


def instant(text):
    """Nanoseconds, or the text itself where it is no time."""
    try:
        whole, _, fraction = text.rstrip("Z").partition(".")
        seconds = int(datetime.datetime.fromisoformat(whole + "+00:00").timestamp())
        return seconds * 10**9 + int(fraction.ljust(9, "0") or 0)
    except ValueError:
        return text


def news(status, resource, log_time, start, duration):
    """What makes two states of an entry the same form: a running entry's duration moves with each read."""
    end = () if status in RUNNING else (instant(start), duration)
    return (status, resource, instant(log_time), *end)


class Number:
    """The entries that share a number: nearly always one."""

    def __init__(self, record):
        self.forms, self.first_served, self.times = {}, [], []
        for index, (_, status, resource, when, texts) in enumerate(record["f"]):
            self.first_served.append(instant(when))
            self.times.append(instant(texts[0][0]))
            for text in texts:
                self.forms[news(status, resource, *text)] = index
        # Of each entry the forms that it was served in, first to last, where its response was whole.
        self.entries = [[form for form, owed in entry["s"] if owed] for entry in record["e"]]
        self.appeared = [entry["a"] for entry in record["e"]]
        self.written = collections.Counter()

    def served(self):
        return collections.Counter(form for entry in self.entries for form in entry)

    def first_served_of(self, time):
        return min(when for when, of in zip(self.first_served, self.times) if of == time)

    def by_time(self):
        """Entries that share their time, too, cannot be told apart."""
        groups = collections.defaultdict(list)
        for entry in self.entries:
            if entry:
                groups[self.times[entry[0]]].append(entry)
        return groups


def read_ledger(path):
    """Numbers by session and label."""
    numbers = {}
    account = {}
    with open(path, encoding="utf-8", errors="surrogatepass") as file:
        for record in map(json.loads, file):
            if record["record"] == "account":
                account = record
            elif record["record"] == "session":
                numbers |= {(record["session"], number["n"]): Number(number) for number in record["numbers"]}
    return numbers, account


def read_output(path, read):
    """(line, where it ends) for each; None for what is no line of the collector. Blanks are what a crash left."""
    end = 0
    with open(path, "rb") as file:
        for raw in file:
            end += len(raw)
            if not raw.strip():
                continue
            try:
                yield read(json.loads(raw)), end
            except (ValueError, KeyError, TypeError):
                yield None, end


class Verdict:
    """`sizes` says when the output was seen to be how long, in order of time; `read` makes a Line of its JSON."""

    def __init__(self, ledger, output, read, sizes):
        self.numbers, self.account = read_ledger(ledger)
        self.counts = collections.Counter()
        self.delays = []
        self.sizes = sizes
        self.firsts = collections.defaultdict(list)  # by session: the first line of each entry, in order
        seen = set()
        for line, end in read_output(output, read):
            self.take(line, end, seen)
        for number in self.numbers.values():
            self.judge(number)
        self.counts["out of order"] = sum(map(disordered, self.firsts.values()))

    def take(self, line, end, seen):
        key = line and (line.session, line.message.rpartition(" #")[2])
        number = self.numbers.get(key)
        form = number and number.forms.get(news(*line[2:]))
        if form is None:
            self.counts["torn" if line is None else "foreign"] += 1
            return
        number.written[form] += 1
        which = (*key, number.times[form])
        if which in seen:
            return
        seen.add(which)
        self.firsts[line.session].append((number.times[form], number.first_served_of(number.times[form])))
        if len(number.entries) == 1:
            self.delays.append((number.appeared[0], self.arrival(end) - number.appeared[0]))

    def arrival(self, end):
        place = bisect.bisect_left(self.sizes, end, key=lambda seen: seen[1])
        return self.sizes[min(place, len(self.sizes) - 1)][0]

    def judge(self, number):
        groups = number.by_time().values()
        entries = written = 0
        for group in groups:
            entries += len(group)
            wanted = collections.Counter(entry[-1] for entry in group)
            ended = sum(min(number.written[form], count) for form, count in wanted.items())
            most = max(min(number.written[form], len(group)) for entry in group for form in entry)
            found = min(len(group), max(ended, most))
            written += found
            self.counts["lost, twins" if len(group) > 1 else "lost"] += len(group) - found
            self.counts["last form missing"] += found - ended
        self.counts["served"] += entries
        self.counts["written"] += written
        served = number.served()
        self.counts["repeated"] += sum((number.written - served).values())
        # Whose change it is, nobody can say of equal entries.
        if all(len(group) == 1 for group in groups):
            self.counts["changes served"] += sum(served.values()) - entries
            self.counts["changes written"] += sum((number.written & served).values()) - written

    def delay(self, share, since):
        """Seconds, of the entries that appeared after that time."""
        found = sorted(delay for appeared, delay in self.delays if appeared > since)
        return found[int(share * (len(found) - 1))] / 1e9 if found else float("nan")


def disordered(firsts):
    """Entries written after one of a later time that had not been served before them."""
    return sum(any(time > this[0] and when >= this[1] for time, when in firsts[:index])
               for index, this in enumerate(firsts))
