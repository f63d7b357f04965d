"""What an evidence pack says of the run itself: how it was read, with what, by which rules."""

import hashlib
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from importlib.metadata import version

from opskit.audit.check import Check
from opskit.audit.pack import canonical
from opskit.audit.pseudonyms import Pseudonyms
from opskit.audit.report import AuditReport
from opskit.ledger.posting_rules import posting_rules
from opskit.read.manifest import MANIFEST_NAME, Manifest
from opskit.read.snapshot import Snapshot

LIBRARIES = ("opskit", "duckdb", "pyarrow", "boto3", "botocore", "msgspec")


def run_document(
    report: AuditReport,
    snapshot: Snapshot,
    checks: Iterable[Check],
    parameters: Mapping[str, object],
    times: tuple[datetime, datetime],
) -> dict[str, object]:
    """The facts of a run: parameters, versions, the checks' own hashes, the read and its cost."""
    manifest = snapshot.manifest
    started, ended = times
    return {
        "as_of": report.as_of.isoformat(),
        "started": started.isoformat(),
        "ended": ended.isoformat(),
        "verdict": report.verdict.value,
        "parameters": dict(parameters),
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in LIBRARIES},
        },
        "checks": {
            check.id: hashlib.sha256(canonical(asdict(check))).hexdigest() for check in checks
        },
        "read": {**_read(manifest), "snapshot_manifest_sha256": _manifest_digest(snapshot)},
    }


def _manifest_digest(snapshot: Snapshot) -> str:
    """The hash of the manifest that the audited snapshot had, before it was packed."""
    return hashlib.sha256((snapshot.path / MANIFEST_NAME).read_bytes()).hexdigest()


def _read(manifest: Manifest) -> dict[str, object]:
    """Where the books came from, how they were read, and what that cost."""
    source = manifest.source
    parts = source.arn.split(":")
    return {
        "source": source.kind.value,
        "name": source.name,
        "table_arn": source.arn,
        "table_id": source.table_id,
        "aws_account": source.account,
        "aws_region": parts[3] if len(parts) > 3 else "",
        "partition": source.partition,
        "inputs": dict(source.inputs),
        "consistency": source.consistency,
        "started": manifest.started,
        "ended": manifest.ended,
        "items": manifest.items,
        "pages": sum(segment.pages for segment in manifest.segments.values()),
        "segments": len(manifest.segments),
        "capacity_units": manifest.capacity_units,
    }


def rules_document() -> list[dict[str, object]]:
    """The posting rules as they were applied."""
    return [asdict(rule) for rule in posting_rules()]


def findings_document(report: Mapping[str, object]) -> bytes:
    """The findings of a report's JSON in their canonical form, the same everywhere."""
    wanted = ("as_of", "verdict", "checks", "findings", "observations", "control_totals")
    return canonical({name: report[name] for name in wanted if name in report}) + b"\n"


def renamed(document: Mapping[str, object], names: Pseudonyms | None) -> Mapping[str, object]:
    """A document with every account in it under its pseudonym."""
    if names is None:
        return document
    value = names.value("", document)
    assert isinstance(value, dict)
    return value
