"""What is remembered of findings, improvements, releases and deployments; the latest fact about anything else."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection, Iterable
from dataclasses import replace

from aiimprove.card import visible
from aiimprove.errors import NotFound, Stale
from aiimprove.event import Event
from aiimprove.finding import Finding, Json
from aiimprove.improvement import Improvement, Status
from aiimprove.release import Deployment, DeploymentStatus, Release
from aiimprove.store.trail import Trail


class Store(Trail):
    """The open database of one state folder; cheap to open, one per process."""

    # -- improvements -------------------------------------------------------------------------------------------

    def improvement(self, improvement_id: str) -> Improvement:
        """Raises NotFound."""
        row = self.connection.execute("SELECT body FROM improvements WHERE id = ?", (improvement_id,)).fetchone()
        if row is None:
            raise NotFound(f"no improvement is named {improvement_id!r}: 'aiimprove status' lists them")
        return Improvement.from_json(json.loads(row[0]))

    def improvements(self, statuses: Collection[Status] = ()) -> list[Improvement]:
        """The improvements in these statuses (all when none is named), the most urgent first."""
        marks = ",".join("?" * len(statuses))
        where = f"WHERE status IN ({marks})" if statuses else ""
        rows = self.connection.execute(
            f"SELECT body FROM improvements {where} ORDER BY impact DESC, created, id", tuple(statuses))
        return [Improvement.from_json(json.loads(row[0])) for row in rows]

    def of_finding(self, fingerprint: str) -> list[Improvement]:
        """Every improvement that was ever made of a finding, the newest first."""
        rows = self.connection.execute(
            "SELECT body FROM improvements WHERE fingerprint = ? ORDER BY created DESC", (fingerprint,))
        return [Improvement.from_json(json.loads(row[0])) for row in rows]

    def add(self, improvement: Improvement, performer: str) -> Improvement:
        """Save a new improvement with its first event. Raises Stale when its id is taken."""
        made = replace(improvement, version=1, created=time.time(), updated=time.time())
        with self.transaction():
            self._insert(made)
            self.append(Event(f"improvement.{made.status.lower()}", made.id, performer,
                              {"title": made.title, "fingerprint": made.finding.fingerprint}, 1))
        return made

    def save(self, before: Improvement, after: Improvement, performer: str, message: str = "") -> Improvement:
        """Put `after` in the place of `before`, with its event. Raises Stale when somebody was faster."""
        after = replace(after, updated=time.time())
        with self.transaction():
            self.put(before, after, performer, message)
        return after

    def put(self, before: Improvement, after: Improvement, performer: str, message: str = "") -> None:
        """`save` inside a transaction that the caller holds."""
        changed = self.connection.execute(
            "UPDATE improvements SET status=?, version=?, digest=?, author=?, updated=?, impact=?, body=? "
            "WHERE id=? AND status=? AND version=?",
            (after.status, after.version, after.digest, after.author, after.updated, after.finding.impact,
             json.dumps(after.to_json()), before.id, before.status, before.version)).rowcount
        if changed != 1:
            raise Stale(f"{before.id} was changed by somebody else meanwhile: look again and repeat")
        moved = "noted" if before.status is after.status else after.status.lower()
        self.append(Event(f"improvement.{moved}", after.id, performer,
                          {"from": before.status, "to": after.status, "message": message, "digest": after.digest},
                          after.version))

    def _insert(self, made: Improvement) -> None:
        row = (made.id, made.finding.fingerprint, made.status, made.version, made.finding.kind, visible(made.title),
               made.digest, made.finding.detector, made.author, made.finding.impact, made.created, made.updated,
               json.dumps(made.to_json()))
        try:
            self.connection.execute(f"INSERT INTO improvements VALUES ({','.join('?' * len(row))})", row)
        except sqlite3.IntegrityError:
            raise Stale(f"an improvement {made.id} is there already") from None

    # -- findings -----------------------------------------------------------------------------------------------

    def record_findings(self, findings: Iterable[Finding], commit: str, keep: Collection[str] = ()) -> list[Finding]:
        """What a look saw: those are present now, all others are not, but for the detectors named in `keep`, whose
        look failed. Returns the ones never seen before."""
        now, fresh = time.time(), []
        with self.transaction() as connection:
            connection.execute("UPDATE findings SET present = 0 WHERE json_extract(body, '$.detector') NOT IN "
                               f"({','.join('?' * len(keep))})", tuple(keep))
            for finding in findings:
                row = (finding.fingerprint, now, now, commit, 1, json.dumps(finding.to_json()))
                seen = connection.execute("SELECT 1 FROM findings WHERE fingerprint = ?", row[:1]).fetchone()
                connection.execute(
                    "INSERT INTO findings VALUES (?,?,?,?,?,?) ON CONFLICT (fingerprint) DO UPDATE SET last_seen="
                    "excluded.last_seen, commit_seen=excluded.commit_seen, present=1, body=excluded.body", row)
                if seen is None:
                    fresh.append(finding)
                    self.append(Event("finding.seen", finding.fingerprint, "analyze", {"title": finding.title}))
        return fresh

    def findings(self, *, present: bool = True) -> list[Finding]:
        where = "WHERE present = 1" if present else ""
        rows = self.connection.execute(f"SELECT body FROM findings {where} ORDER BY last_seen DESC").fetchall()
        return sorted((Finding.from_json(json.loads(row[0])) for row in rows), key=lambda each: -each.impact)

    # -- releases and deployments -------------------------------------------------------------------------------

    def add_release(self, release: Release) -> None:
        self.connection.execute("INSERT OR IGNORE INTO releases VALUES (?,?,?,?)",
                                (release.id, release.commit, release.made, json.dumps(release.to_json())))

    def release(self, release_id: str) -> Release:
        row = self.connection.execute("SELECT body FROM releases WHERE id = ?", (release_id,)).fetchone()
        if row is None:
            raise NotFound(f"no release is named {release_id!r}")
        return Release.from_json(json.loads(row[0]))

    def deployment(self, deployment_id: str) -> Deployment:
        """Raises NotFound."""
        row = self.connection.execute("SELECT body FROM deployments WHERE id = ?", (deployment_id,)).fetchone()
        if row is None:
            raise NotFound(f"no deployment is named {deployment_id!r}")
        return Deployment.from_json(json.loads(row[0]))

    def deployments(self, *statuses: DeploymentStatus, limit: int = -1) -> list[Deployment]:
        """The deployments in these statuses (all when none is named), the newest first, whatever the clock said."""
        where = f"WHERE status IN ({','.join('?' * len(statuses))})" if statuses else ""
        rows = self.connection.execute(f"SELECT body FROM deployments {where} ORDER BY rowid DESC LIMIT ?",
                                       (*statuses, limit))
        return [Deployment.from_json(json.loads(row[0])) for row in rows]

    def unfinished(self) -> list[Deployment]:
        """The deployments that have not ended, the newest first."""
        return self.deployments(*(each for each in DeploymentStatus if not each.final))

    def add_deployment(self, deployment: Deployment, performer: str) -> Deployment:
        made = replace(deployment, version=1, started=time.time())
        with self.transaction() as connection:
            connection.execute("INSERT INTO deployments VALUES (?,?,?,?,?)",
                               (made.id, made.status, 1, made.started, json.dumps(made.to_json())))
            self.append(Event("deployment.prepared", made.id, performer,
                              {"release": made.release, "replaces": made.replaces, "reason": made.reason}, 1))
        return made

    def put_deployment(self, before: Deployment, after: Deployment, performer: str) -> None:
        """Inside a transaction that the caller holds. Raises Stale when somebody was faster."""
        changed = self.connection.execute(
            "UPDATE deployments SET status=?, version=?, body=? WHERE id=? AND version=?",
            (after.status, after.version, json.dumps(after.to_json()), before.id, before.version)).rowcount
        if changed != 1:
            raise Stale(f"deployment {before.id} was changed by somebody else meanwhile")
        self.append(Event(f"deployment.{after.status.lower()}", after.id, performer,
                          {"release": after.release, "message": after.message}, after.version))

    # -- facts --------------------------------------------------------------------------------------------------

    def fact(self, name: str) -> Json:
        """A single value that we remember, or None."""
        row = self.connection.execute("SELECT body FROM facts WHERE name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else None

    def set_fact(self, name: str, value: Json) -> None:
        self.connection.execute("INSERT INTO facts VALUES (?,?) ON CONFLICT (name) DO UPDATE SET body=excluded.body",
                                (name, json.dumps(value)))
