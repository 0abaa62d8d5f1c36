"""The Sigma rules of package/siem convert for OpenSearch, Splunk and Sentinel, and name only session types that there are. What
they became for OpenSearch is written to QUERIES, for check_opensearch to run.

usage: check_sigma.py QUERIES
"""

import json
import pathlib
import re
import sys

from sigma.backends.kusto import KustoBackend
from sigma.backends.opensearch import OpensearchLuceneBackend
from sigma.backends.splunk import SplunkBackend
from sigma.collection import SigmaCollection
from sigma.correlations import SigmaCorrelationRule
from sigma.processing.pipeline import ProcessingPipeline

TREE = pathlib.Path(__file__).parent.parent.parent
RULES = TREE / "package/siem/sigma"
# Types of Backup for AWS that are newer than the specification in tests/data/specs.
NEWER_TYPES = {"ArchiveRetrieval", "ConfigurationBackupActivity", "FlrEfsTask"}


def words_of(part):
    """Every word of an enumeration in a specification."""
    if isinstance(part, dict):
        yield from (word for word in part.get("enum", []) if isinstance(word, str))
        part = list(part.values())
    if isinstance(part, list):
        for inner in part:
            yield from words_of(inner)


def known_types():
    found = set(NEWER_TYPES)
    for path in (TREE / "tests/data/specs").glob("veeam-*.json"):
        found.update(words_of(json.loads(path.read_text())))
    return found


def types_in(rule):
    if isinstance(rule, SigmaCorrelationRule):
        return
    for detection in rule.detection.detections.values():
        for item in detection.detection_items:
            if item.field == "sessionlog.session_type":
                yield from (str(value) for value in item.value)


def backends(rules):
    if any(isinstance(rule, SigmaCorrelationRule) for rule in rules):
        return {"Splunk": SplunkBackend()}  # of these three the only one that knows correlations
    sentinel = ProcessingPipeline.from_yaml((RULES / "sentinel.yaml").read_text())
    return {"OpenSearch": OpensearchLuceneBackend(), "Splunk": SplunkBackend(), "Sentinel": KustoBackend(sentinel)}


def main():
    failed, queries, types = 0, {}, known_types()
    paths = sorted(RULES.glob("*.yml"))
    for path in paths:
        for name, backend in backends(SigmaCollection.from_yaml(path.read_text())).items():
            rules = SigmaCollection.from_yaml(path.read_text())  # a conversion changes them
            unknown = {found for rule in rules for found in types_in(rule)} - types
            query = backend.convert(rules)[-1]
            print(f"{path.stem}, {name}: {query[:150]}")
            if name == "OpenSearch":
                queries[path.stem] = query
            # A column has no dots: what has one was not mapped.
            unmapped = re.findall(r"\b[a-z]+\.[a-z_]+\b", query) if name == "Sentinel" else []
            if unknown or unmapped:
                failed += 1
                print(f"FAILED: no appliance has sessions of the types {unknown}; sentinel.yaml does not map {unmapped}")
    pathlib.Path(sys.argv[1]).write_text(json.dumps(queries))
    print(f"pySigma: {len(paths)} rules, {failed} failed")
    sys.exit(0 if len(paths) == 5 and not failed else 1)


main()
