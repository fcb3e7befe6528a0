"""The report for programs: everything that was seen, one object."""

import json
from dataclasses import asdict
from typing import Any

from converse_contract.case import Evidence
from converse_contract.latency import Comparison
from converse_contract.transcript import Transcript
from converse_contract.verdict import Outcome, Result, Results


def render(results: Results, comparison: Comparison | None = None) -> str:
    """`{"handler", "emulator", "limits", "started_at", "seconds", "counts", "cases": [...], "latency"}`."""
    report: dict[str, Any] = {
        "handler": results.handler,
        "emulator": results.emulator,
        "limits": asdict(results.limits),
        "started_at": results.started_at,
        "seconds": results.seconds,
        "counts": {outcome.value: results.count(outcome) for outcome in Outcome},
        "cases": [_case(result, results) for result in results.results],
    }
    if comparison:
        report["latency"] = asdict(comparison)
    return json.dumps(report, indent=2, ensure_ascii=False) + "\n"


def _case(result: Result, results: Results) -> dict[str, Any]:
    case = result.case
    return {
        "id": case.id,
        "title": case.title,
        "requirement": case.requirement,
        "level": case.level.value,
        "outcome": result.verdict.outcome.value,
        "reason": result.verdict.reason,
        "findings": [asdict(finding) for finding in result.verdict.findings],
        "seconds": result.seconds,
        "replay": results.replay_of(result),
        "evidence": _evidence(result.evidence) if result.evidence else None,
    }


def _evidence(evidence: Evidence) -> dict[str, Any]:
    return {
        "transcripts": [_transcript(transcript) for transcript in evidence.transcripts],
        "exchanges": [dict(exchange) for exchange in evidence.exchanges],
        "notes": dict(evidence.notes),
        "hops": [asdict(hop) for hop in evidence.hops],
    }


def _transcript(transcript: Transcript) -> dict[str, Any]:
    return {
        "session": transcript.session,
        "sent_at": transcript.sent_at,
        "status": transcript.status,
        "headers": [list(header) for header in transcript.headers],
        "arrivals": [
            {
                "at": arrival.at,
                "id": arrival.id,
                "event": type(arrival.event).__name__,
                "members": asdict(arrival.event),
            }
            for arrival in transcript.arrivals
        ],
        "ending": transcript.ending,
        "ended_at": transcript.ended_at,
        "body": transcript.raw.decode("utf-8", "replace"),
    }
