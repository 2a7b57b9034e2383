"""One letter of every kind, as its function makes it, for either organisation and in either language."""

from collections.abc import Callable
from datetime import UTC, date, datetime

from portal.policy.model import Policy
from portal.rights import letters
from portal.rights.letters import Case, Change, Letter, Line, Result, Told
from portal.words import Words

RECEIVED = datetime(2026, 10, 14, 7, 2, tzinfo=UTC)
STOPPED = datetime(2026, 10, 14, 9, 30, tzinfo=UTC)
SCHEMA = "https://privacy.casagbic.example/schema/habeas-export-1.json"
FACTS = {"en": ["We looked at the invoice of 3 March 2026."], "fr": ["Nous avons examiné la facture du 3 mars 2026."]}
WHY = {"en": ["You bought credits that day."], "fr": ["Vous avez acheté des crédits ce jour-là."]}


def case(right: str, *, country: str | None = None, written_on: date = date(2026, 11, 5)) -> Case:
    """A request of 14 October 2026, answered in time."""
    return Case(
        reference="DR-2026-0147", right=right, received_on=date(2026, 10, 14), due_day=date(2026, 11, 13),
        written_on=written_on, country=country,
    )  # fmt: skip


def held(policy: Policy) -> list[str]:
    """The categories in which something is held."""
    return [category.id for category in policy.categories if category.searchable]


def results(policy: Policy) -> list[Result]:
    """What an erasure did, category by category, as the policy says."""
    return [
        Result(
            category=category.id, action=category.erasure.action, number=12, ground=category.erasure.ground,
            until=date(2036, 12, 31) if category.erasure.action == "keep" else None,
        )
        for category in policy.categories
    ]  # fmt: skip


def purpose(policy: Policy) -> str:
    """A use that rests on our own interest."""
    return next(purpose.id for purpose in policy.purposes if purpose.interest)


type Made = Callable[[Words, Policy], Letter]

TOLD = (Told(name="Stripe", state="confirmed"), Told(name="OpenAI", state="asked"))

ALL: dict[str, Made] = {
    "acknowledgement": lambda words, policy: letters.acknowledgement(
        words, policy, case("access"), received_at=RECEIVED, channel="letter", rights=("access", "erasure")
    ),
    "identity": lambda words, policy: letters.identity_question(
        words, policy, case("access"), doubt=FACTS[words.language], asked_for=WHY[words.language],
        delete_by=date(2026, 11, 13),
    ),
    "extension": lambda words, policy: letters.extension(
        words, policy, case("access"), reason_id="complexity", here=FACTS[words.language],
        new_day=date(2027, 1, 14), last_day=date(2026, 11, 16),
    ),
    "fee": lambda words, policy: letters.fee(
        words, policy, case("access"), reason_id="excessive", here=FACTS[words.language], amount="EUR 12",
        costs=WHY[words.language], answer_by=date(2026, 11, 12),
    ),
    "access": lambda words, policy: letters.access(
        words, policy, case("access"), categories=held(policy), snapshot_at=RECEIVED,
        places=[source.title[words.language] for source in policy.sources],
    ),
    "portability": lambda words, policy: letters.portability(
        words, policy, case("portability"), categories=held(policy), snapshot_at=RECEIVED, schema_url=SCHEMA
    ),
    "rectification": lambda words, policy: letters.rectification(
        words, policy, case("rectification"), told=TOLD,
        changes=[Change(field="A", before="1", after="2"), Change(field="B", before="", after="3")],
    ),
    "erasure": lambda words, policy: letters.erasure(
        words, policy, case("erasure"), results=results(policy), told=TOLD, receipt="4402 9137",
        backups_until=date(2026, 12, 15) if policy.backups else None,
    ),
    "refusal": lambda words, policy: letters.refusal(
        words, policy, case("erasure"), reasons=["legal-duty"], facts=FACTS[words.language], why=WHY[words.language]
    ),
    "partial-refusal": lambda words, policy: letters.partial_refusal(
        words, policy, case("access", country="IE"), done=["A"], not_done=[Line("B", "C")], reasons=["others-copy"],
        facts=FACTS[words.language], why=WHY[words.language],
    ),
    "no-data": lambda words, policy: letters.no_data(
        words, policy, case("access"), places=[source.title[words.language] for source in policy.sources],
        searched_with=FACTS[words.language],
    ),
    "unidentified": lambda words, policy: letters.unidentified(
        words, policy, case("access", country="DE"), facts=FACTS[words.language], would_help=WHY[words.language]
    ),
    "objection-stopped": lambda words, policy: letters.objection_stopped(
        words, policy, case("objection"), purpose=purpose(policy), stopped_at=STOPPED, marketing=True
    ),
    "objection-weighed": lambda words, policy: letters.objection_weighed(
        words, policy, case("objection"), purpose=purpose(policy), your_side=FACTS[words.language],
        our_side=WHY[words.language], balance=FACTS[words.language], resumes_on=date(2026, 11, 20),
    ),
    "restriction": lambda words, policy: letters.restriction(
        words, policy, case("restriction"), categories=held(policy)[:2], reason_id="accuracy",
        stopped=[Line("A", "B")], by_hand=["C"],
    ),
    "lifting": lambda words, policy: letters.lifting_notice(
        words, policy, case("restriction"), categories=held(policy)[:2], reason_id="checked",
        lifts_on=date(2026, 11, 20),
    ),
    "consent": lambda words, policy: letters.consent_withdrawn(
        words, policy, case("consent"), purpose=purpose(policy), stopped_at=STOPPED
    ),
    "complaint": lambda words, policy: letters.complaint_answer(
        words, policy, case("complaint", country="GB"), findings=FACTS[words.language], result=WHY[words.language],
        same_person=policy.controller.single_operator,
    ),
    "automated": lambda words, policy: letters.automated_answer(words, policy, case("automated")),
    "inquiry": lambda words, policy: letters.inquiry_answer(
        words, policy, case("inquiry", country="CH"), question=FACTS[words.language], answer=WHY[words.language]
    ),
}  # fmt: skip
