"""What is carried out for a request: plans and their steps, what had to be kept, pauses, corrections.

Always true here: what was and what is to be of a correction is not told, not even as a digest.
"""

from piccolo.columns import UUID, Array, BigInt, Boolean, Date, Integer, Text, Timestamptz

from admin.roles import Permission
from admin.views.view import view

RECORDS = Permission.RECORDS

VIEWS = (
    view(
        "plan", "plan", RECORDS, "-approved_at",
        {
            "id": UUID(primary_key=True), "reference": Text(), "kind": Text(), "whole": Boolean(), "state": Text(),
            "rounds": Integer(), "approved_at": Timestamptz(), "runs_at": Timestamptz(),
            "begun_at": Timestamptz(null=True), "done_at": Timestamptz(null=True),
        },
    ),
    view(
        "plan_step", ("plan_item", "plan"), RECORDS, "-reference",
        {
            "id": UUID(primary_key=True), "reference": Text(), "position": Integer(), "source": Text(),
            "category": Text(), "action": Text(), "ground": Text(), "until": Date(null=True),
            "expected": BigInt(null=True), "state": Text(), "means": Text(), "error": Text(), "tries": Integer(),
            "failed_at": Timestamptz(null=True), "done_at": Timestamptz(null=True),
        },
    ),
    view(
        "kept_record", ("held_item", "plan"), RECORDS, "until",
        {
            "id": UUID(primary_key=True), "reference": Text(), "source": Text(), "category": Text(), "ground": Text(),
            "until": Date(), "left": BigInt(null=True), "looked_at": Timestamptz(null=True),
            "erased_at": Timestamptz(null=True),
        },
    ),
    view(
        "scan", ("scan_report", "plan"), RECORDS, "-at",
        {
            "id": UUID(primary_key=True), "reference": Text(), "round": Integer(), "store": Text(), "verdict": Text(),
            "ground": Text(), "places": Integer(), "findings": Integer(), "tries": Integer(), "since": Timestamptz(),
            "at": Timestamptz(),
        },
    ),
    view(
        "pause", "restriction", RECORDS, "-since",
        {
            "id": UUID(primary_key=True), "reference": Text(), "categories": Array(base_column=Text()),
            "reason": Text(), "since": Timestamptz(), "noticed_at": Timestamptz(null=True),
            "lifts_at": Timestamptz(null=True), "lifted_at": Timestamptz(null=True),
        },
    ),
    view(
        "stopped_use", "stopped_use", RECORDS, "-since",
        {
            "id": UUID(primary_key=True), "reference": Text(), "purpose": Text(), "reason": Text(),
            "since": Timestamptz(), "final": Boolean(), "ends_at": Timestamptz(null=True),
            "ended_at": Timestamptz(null=True),
        },
    ),
    view(
        "never_written_to", "suppression", RECORDS, "-since",
        {"id": UUID(primary_key=True), "purpose": Text(), "since": Timestamptz()},
    ),
    view(
        "correction", "correction", RECORDS, "-made_at",
        {
            "id": UUID(primary_key=True), "reference": Text(), "category": Text(), "field": Text(), "how": Text(),
            "state": Text(), "made_at": Timestamptz(), "ended_at": Timestamptz(null=True),
            "kept_until": Timestamptz(null=True),
        },
    ),
    view(
        "address_change", "address_change", RECORDS, "-asked_at",
        {
            "id": UUID(primary_key=True), "reference": Text(null=True), "state": Text(), "asked_at": Timestamptz(),
            "cancel_until": Timestamptz(), "changed_at": Timestamptz(null=True),
            "hold_until": Timestamptz(null=True), "confirmed_at": Timestamptz(null=True),
        },
    ),
)  # fmt: skip
