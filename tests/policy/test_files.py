"""Policy files as people really have them: whole, broken, missing, in the wrong encoding; and what stays to confirm."""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from portal.errors import PolicyError
from portal.policy.check import gaps, load_checked, report
from portal.policy.contrast import contrast, nearest
from portal.policy.load import load
from portal.policy.model import Policy, Text, Way
from portal.policy.rules.walk import parts
from tests.policy.trees import NAMES, POLICIES

REAL = (POLICIES / "casagbic.toml").read_text()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A place for a policy file."""
    return tmp_path / "policy.toml"


def mistakes_of(file: Path) -> tuple[str, ...]:
    """Return what refuses the file, or nothing."""
    try:
        load_checked(file)
    except PolicyError as error:
        return error.mistakes
    return ()


def test_every_line_names_the_file_the_place_and_the_remedy(file: Path) -> None:
    """An operator reads file, place, what is wrong and what to write, several mistakes in one run."""
    file.write_text(REAL.replace("link_minutes = 15", "link_minuts = 15"))
    assert mistakes_of(file) == (
        f'{file}: sign_in.link_minuts: this key is not known here. Did you mean "link_minutes"?',
        f"{file}: sign_in.link_minutes: is missing. Write a whole number.",
    )
    file.write_text(REAL.replace('fr = "Formule"', 'fr = ""').replace('"one-cookie"\n\n', '"two-cookies"\n\n'))
    assert mistakes_of(file) == (
        f'{file}: categories[0] "account".fields[2] "plan".title.fr: is empty. Write the French text.',
        f'{file}: promises[7] "one-cookie".control: there is no control "two-cookies". Did you mean "one-cookie"?',
    )


def test_one_mistake_does_not_hide_the_others(file: Path) -> None:
    """A period taken away, an unknown key, a number that is none and a dangling reference come out of one run."""
    period = re.search(r'retention = .*"90 days".*\n', REAL)
    assert period is not None
    broken = REAL.replace(period.group(), "", 1).replace("link_minutes = 15", 'link_minutes = "soon"')
    broken = broken.replace("notice_days = 14", "notice_days = 14\nnotise = 1")
    broken = broken.replace('purposes = ["write-code"]', 'purposes = ["write-cod"]', 1)
    broken = broken.replace('transfer = { tool = "scc", detail = "(EU) 2021/914" }\n', "", 1)
    file.write_text(broken)
    assert [mistake.removeprefix(f"{file}: ").split(": ")[0] for mistake in mistakes_of(file)] == [
        "sign_in.link_minutes",
        "changes.notise",
        'categories[1] "sign-ins".retention',
        'recipients[0] "aws".transfer',
        'categories[2] "prompts".purposes',
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[colour\n", "at line 1, column 8"),
        (b'id = "a"\nid = "b"\n', "at line 2"),
        (b"a = 2026-13-45\n", "is not valid TOML"),
        (b"a = 1\nb = '\xe9'\n", "line 2: is not UTF-8. Save the file as UTF-8"),
        (b"a = " + b"[" * 100_000, "is not valid TOML"),
        (b"a = " + b"9" * 10_000, "is not valid TOML"),
        (b"a = 'x\x00y'\n", "is not valid TOML"),
        (b"#" * 2_000_001, "is not a policy file"),
        (b"", "format: is missing. Write 1."),
        (b'"\\n\\u001b[31m" = 1', "??[31m: this key is not known here"),
    ],
)
def test_a_broken_file_is_a_list_of_mistakes_and_never_a_crash(file: Path, content: bytes, words: str) -> None:
    """Whatever the bytes are, the operator reads one-line mistakes."""
    file.write_bytes(content)
    found = mistakes_of(file)
    assert any(words in mistake for mistake in found), found
    assert all(mistake.startswith(f"{file}: ") and "\n" not in mistake for mistake in found)


def test_a_missing_file_says_which_setting_names_it(tmp_path: Path) -> None:
    """The operator learns which file was looked for, and where its name comes from."""
    for wrong in (tmp_path / "none.toml", tmp_path):
        (mistake,) = mistakes_of(wrong)
        assert mistake.startswith(f"{wrong}: cannot be read (")
        assert "HABEAS_POLICY" in mistake


def test_a_byte_order_mark_and_foreign_line_ends_do_no_harm(file: Path) -> None:
    """A file saved on another system is the same policy."""
    file.write_bytes(b"\xef\xbb\xbf" + REAL.replace("\n", "\r\n").encode())
    assert load(file) == load(POLICIES / "casagbic.toml")


def test_a_report_never_raises(file: Path) -> None:
    """The command gets mistakes and what to confirm, for a good file and for a bad one."""
    file.write_text("= ")
    mistakes, confirm = report(file)
    assert mistakes
    assert not confirm
    mistakes, confirm = report(POLICIES / "casagbic.toml")
    assert not mistakes
    assert confirm


@pytest.mark.parametrize("name", NAMES)
def test_what_is_assumed_is_reported_and_never_passed_off_as_promised(name: str) -> None:
    """Every assumed fact, every missing legal fact and every gap of the text is on the operator's list."""
    policy = load_checked(POLICIES / f"{name}.toml")
    found = gaps(policy)
    assumed = [place for place, part in parts(policy) if getattr(part, "standing", "") == "assumed"]
    assert assumed
    assert all(any(line.startswith(f"{place}: assumed") for line in found) for place in assumed)
    assert all(any(line == f'gap "{gap.id}": {gap.text}' for line in found) for gap in policy.gaps)
    assert any(line.startswith("controller.address: is not known") for line in found)


def test_casagbic_promises_what_its_policy_states() -> None:
    """The stated facts of Casagbic are in its file."""
    policy = load_checked(POLICIES / "casagbic.toml")
    assert set(policy.sign_in.ways) == set(Way)
    assert (policy.answer.days, policy.answer.inquiry_days) == (30, 30)
    assert (policy.breach.people_when, policy.breach.people_hours) == ("any-risk", 72)
    assert policy.children is not None
    assert (policy.children.minimum_age, policy.children.never_under) == (16, 13)
    assert policy.changes.notice_days == 14
    assert policy.backups is not None
    assert policy.backups.standing == "assumed"


def test_caaartoons_promises_what_its_policy_states() -> None:
    """The stated facts of Caaartoons are in its file."""
    policy = load_checked(POLICIES / "caaartoons.toml")
    assert policy.version == date(2026, 6, 10)
    assert policy.languages == ("fr", "en")
    assert set(policy.sign_in.ways) == {Way.LINK, Way.CODE}
    assert (policy.sign_in.link_minutes, policy.sign_in.session_days) == (15, 30)
    assert policy.answer.days is None
    assert policy.controller.single_operator
    assert {recipient.name for recipient in policy.recipients} == {"Fly.io", "OpenAI", "Resend", "Stripe"}
    assert not policy.category("ip-address").searchable
    assert [cookie.days for cookie in policy.cookies if cookie.audience == "person"] == [30]


def texts(policy: Policy) -> Iterator[tuple[str, Text]]:
    """Yield every text of a policy with its place."""
    return ((place, part) for place, part in parts(policy) if isinstance(part, Text))


@pytest.mark.parametrize("name", NAMES)
def test_texts_are_set_as_each_language_sets_them(name: str) -> None:
    """French has a no-break space before its double signs, both have real apostrophes, and no sentence is long."""
    for place, text in texts(load_checked(POLICIES / f"{name}.toml")):
        assert not re.search(r"(?<![\u00a0])[;!?»]|(?<![\u00a0\w])[:]|[^\u00a0]:(?!//)", text.fr), place
        assert "'" not in text.fr + text.en, place
        assert "\u00a0" not in text.en, place
        for sentence in re.split(r"[.:;]\s", text.en):
            assert len(sentence.split()) <= 24, (place, sentence)


@pytest.mark.parametrize("name", NAMES)
def test_no_real_address_is_in_a_real_file(name: str) -> None:
    """The organisations' own addresses are examples."""
    found = re.findall(r"[\w.]+@[\w.]+", (POLICIES / f"{name}.toml").read_text())
    assert found
    assert all(address.rstrip(".").endswith(".example") for address in found)


def test_the_proposed_colour_can_be_read() -> None:
    """What is proposed instead of a pale accent has the contrast that the accent lacked."""
    assert round(contrast("#000000", "#ffffff"), 6) == 21
    assert contrast("#1f3fa8", "#ffffff") == pytest.approx(9.0, abs=0.1)
    better = nearest("#89a8ff", ("#ffffff", "#e9edfb"), towards="#000000")
    assert 4.5 <= contrast(better, "#e9edfb") < 4.7
