"""Judges OTLP logs as JSON lines by the protocol's own messages.

usage: check_otlp.py FILE...
Each line is one LogsData, no field unknown, and written back it is the same JSON: camelCase, 64-bit integers as strings, enums as
numbers, no defaults. It has one record, no attribute twice, a level whose number fits its text, and a service's name.
"""

import json

from google.protobuf import json_format
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData

import judging

NUMBERS = {"info": 9, "notice": 10, "warning": 13, "error": 17}


def complaints(line):
    data = json_format.Parse(line, LogsData(), ignore_unknown_fields=False)
    if json.loads(json_format.MessageToJson(data, use_integers_for_enums=True)) != json.loads(line):
        yield "written back it is not the same"
    (resource_logs,) = data.resource_logs
    (scope_logs,) = resource_logs.scope_logs
    (record,) = scope_logs.log_records
    resource = [attribute.key for attribute in resource_logs.resource.attributes]
    ours = [attribute.key for attribute in record.attributes]
    if len(resource) != len(set(resource)) or len(ours) != len(set(ours)):
        yield "an attribute stands twice"
    if "service.name" not in resource:
        yield "no service.name"
    if NUMBERS.get(record.severity_text) != record.severity_number:
        yield f"severity {record.severity_text!r} is not {record.severity_number}"
    if record.observed_time_unix_nano == 0:
        yield "no observedTimeUnixNano"


judging.judge("opentelemetry-proto, otlp", complaints, (json_format.ParseError, ValueError))
