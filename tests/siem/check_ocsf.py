"""Judges OCSF events, one a line, by the published schema of the version that they name, and by what that cannot say: sums,
captions, and times that stand there twice.

usage: check_ocsf.py FILE...
"""

import functools
import json
from datetime import datetime

import jsonschema
import ocsf_json_schema as ocsf
from ocsf_json_schema import OcsfJsonSchemaEmbedded

import judging

CAPTIONS = {
    "activity_id": "activity_name",
    "category_uid": "category_name",
    "class_uid": "class_name",
    "severity_id": "severity",
    "status_id": "status",
    "type_uid": "type_name",
}
OTHER = 99  # its caption is the source's own


@functools.cache
def validator(version, class_uid, profiles):
    schema = OcsfJsonSchemaEmbedded(ocsf.get_ocsf_schema(version))
    return jsonschema.Draft202012Validator(schema.get_class_schema(schema.lookup_class_name_from_uid(class_uid), list(profiles)))


@functools.cache
def attributes(version, class_uid):
    classes = ocsf.get_ocsf_schema(version)["classes"].values()
    return next(found for found in classes if found["uid"] == class_uid)["attributes"]


def wrong_captions(version, event):
    for name, caption_name in CAPTIONS.items():
        value = event.get(name)
        known = attributes(version, event["class_uid"])[name].get("enum", {}).get(str(value), {}).get("caption")
        if value != OTHER and known is not None and event.get(caption_name, known) != known:
            yield f"{caption_name}: {event[caption_name]!r}, but {name} {value} is {known!r}"


def wrong_times(holder):
    for name, value in holder.items():
        if isinstance(value, dict):
            yield from wrong_times(value)
        elif name.endswith("_dt") and name[:-3] in holder:
            whole = int(datetime.fromisoformat(value[:19] + "+00:00").timestamp())
            fraction = value[19:].strip(".Z").ljust(3, "0")[:3]
            if whole * 1000 + int(fraction) != holder[name[:-3]]:
                yield f"{name} {value} is not {name[:-3]} {holder[name[:-3]]}"


def complaints(line):
    event = json.loads(line)
    version = event["metadata"]["version"]
    for error in validator(version, event["class_uid"], tuple(event["metadata"].get("profiles", []))).iter_errors(event):
        yield f"{'.'.join(map(str, error.absolute_path))}: {error.message}"
    if event["type_uid"] != event["class_uid"] * 100 + event["activity_id"]:
        yield "type_uid is not class_uid * 100 + activity_id"
    yield from wrong_captions(version, event)
    yield from wrong_times(event)
    if not all(isinstance(value, str) for value in event.get("unmapped", {}).values()):
        yield "unmapped holds more than texts"


judging.judge("ocsf-json-schema, ocsf", complaints, (ValueError, KeyError))
