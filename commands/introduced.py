"""What init found and did, for programs and for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiimprove.errors import ReleaseFailed

if TYPE_CHECKING:
    from aiimprove.introduction import Introduced
    from aiimprove.recognition.seen import Service


class _DoesNotStart(ReleaseFailed):
    code = "not_healthy"


class _DoesNotBuild(ReleaseFailed):
    code = "build_failed"


def data_of(done: Introduced) -> dict[str, Any]:
    start = done.start
    found = start.found if start else {}
    services = [{"name": each.name, "folder": each.folder, "framework": each.framework,
                 "values": {key: {"value": seen.value, "where": seen.where, "guess": seen.guess}
                            for key, seen in each.values.items()},
                 "missing": sorted(each.missing), "health": found[each.name].health if each.name in found else None,
                 "milliseconds": found[each.name].milliseconds if each.name in found else None}
                for each in done.app.services]
    return {"file": str(done.file), "name": done.app.name.value, "services": services,
            "started": not start.problem if start else None, "seconds": start.seconds if start else None,
            "problem": start.problem if start else "", "causes": list(start.causes) if start else [],
            "notes": list(done.notes)}


def failure(done: Introduced) -> ReleaseFailed | None:
    if done.start is None or not done.start.problem:
        return None
    kind = _DoesNotBuild if done.start.code == "build_failed" else _DoesNotStart
    likely = "".join(f"\nLikely: {each}" for each in done.start.causes)
    return kind(f"the app does not start yet. {done.start.problem}{likely}\n{done.file} is written: mend it, or the "
                "app, and commit; then 'aiimprove up' starts it and says what is still missing")


def lines(done: Introduced) -> list[str]:
    said = [_line(each) for each in done.app.services] + [f"Wrote {done.file}."]
    said += [f"- {note}" for note in done.notes]
    if done.start is None:
        return [*said, "Nothing was started. Next: look it through, then 'aiimprove up'."]
    if done.start.problem:
        return said
    answered = ", ".join(f"{name} answered 200 at {found.health} after {found.milliseconds:.0f} ms"
                         for name, found in done.start.found.items())
    return [*said, f"It starts: {answered} (built and started in {done.start.seconds:.0f} s).",
            "Next: 'aiimprove up' puts it live."]


def _line(service: Service) -> str:
    start = service.values["start"]
    return f"{service.name}: {service.framework} in {service.folder} ({start.where.partition(';')[0]})"
