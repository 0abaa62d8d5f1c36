"""The collectors: what each is told, by its configuration beside this file, and what its lines say."""

import collections
import json
import pathlib

import judge

HERE = pathlib.Path(__file__).parent

# key: of its folder. configure: writes its configuration there and returns the command. read: a Line of what it wrote.
Collector = collections.namedtuple("Collector", "name key configure read")


def filled(name, folder, fleet, **words):
    """The configuration of this name with its words put in."""
    text = (HERE / name).read_text()
    for word, value in {"url": fleet.url, "token": fleet.token(), "out": output(folder), **words}.items():
        text = text.replace(f"@{word}@", str(value))
    (folder / name).write_text(text)
    return folder / name


def output(folder):
    return folder / "events.ndjson"


def text(of, *path):
    for key in path:
        of = of.get(key) or {}
    return of if isinstance(of, str) else ""


def sessionlogd(binary):
    def configure(folder, fleet):
        # The fleet has written it; the judge reads one file.
        path = folder / "sessionlogd.toml"
        one_file = 'rotate = { size = "never", every = "never" }'
        path.write_text(path.read_text().replace('type = "file"\n', f'type = "file"\n{one_file}\n'))
        return [binary, "run", "-c", path]

    def read(line):
        said = line["sessionlog"]
        return judge.Line(said["session_id"], line["message"], text(said, "status"), text(said, "resource_id"),
                          text(said, "log_time"), text(line, "event", "start"), text(said, "duration"))

    return Collector("sessionlogd", "sessionlogd", configure, read)


def redpanda_connect(binary, cache):
    def configure(folder, fleet):
        (folder / "cache").mkdir()
        caches = {"memory": "memory: { default_ttl: 24h }", "file": f"file: {{ directory: '{folder / 'cache'}' }}"}
        return [binary, "run", filled("benthos.yaml", folder, fleet, cache=caches[cache],
                                      sessions=json.dumps(fleet.sessions))]

    def read(line):
        return judge.Line(line["session"], line["message"], text(line, "status"), text(line, "resourceHashId"),
                          line["logTime"], text(line, "executionStartTime"), text(line, "executionDuration"))

    return Collector(f"Redpanda Connect, {cache}", f"benthos-{cache}", configure, read)


def telegraf(binary):
    def configure(folder, fleet):
        urls = ", ".join(f'"{fleet.url}/api/v8/jobSessions/{session}/log"' for session in fleet.sessions)
        return [binary, "--config", filled("telegraf.conf", folder, fleet, urls=urls, state=folder / "statefile")]

    def read(line):
        tags = line["tags"]
        return judge.Line(tags["url"].split("/")[-2], tags["message"], text(tags, "status"),
                          text(tags, "resourceHashId"), tags["logTime"], text(tags, "executionStartTime"),
                          text(tags, "executionDuration"))

    return Collector("Telegraf", "telegraf", configure, read)
