"""Every key, everywhere in a policy file: unknown, missing, untranslated or of the wrong type, it is named."""

import pytest

from portal.policy.rules import writing
from portal.policy.shape import decode, mend
from tests.policy.trees import NAMES, at, mistakes, place, tables, tree

REQUIRED_TEXTS = {"en": "English", "fr": "French"}


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_key_is_named_at_every_level(name: str) -> None:
    """Wherever a key is written that nobody knows, exactly that place is named and everything else still passes."""
    for way, _ in list(tables(tree(name))):
        raw = tree(name)
        at(raw, way)["surprise"] = 1
        expected = f"{place(raw, way)}.surprise".lstrip(".")
        mended, found = mend(raw)
        assert [mistake.split(": ")[0] for mistake in found] == [expected]
        assert "not known here" in found[0]
        assert decode(mended) == decode(tree(name))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", REQUIRED_TEXTS)
def test_each_missing_translation_is_named(name: str, language: str) -> None:
    """Each text without its English or its French is one mistake that says which language is missing."""
    ways = [way for way, table in tables(tree(name)) if table.keys() == {"en", "fr"}]
    assert len(ways) > 60
    for way in ways:
        raw = tree(name)
        del at(raw, way)[language]
        found = mend(raw)[1]
        assert found == [f"{place(raw, way)}.{language}: is missing. Write the {REQUIRED_TEXTS[language]} text."]


@pytest.mark.parametrize("name", NAMES)
def test_each_empty_translation_is_named(name: str) -> None:
    """A text of blanks is as missing as none."""
    for way, table in tables(tree(name)):
        if table.keys() == {"en", "fr"}:
            raw = tree(name)
            at(raw, way)["fr"] = " \N{NO-BREAK SPACE}"
            found = writing.texts(decode(raw))
            assert f"{place(raw, way)}.fr: is empty. Write the French text." in found


@pytest.mark.parametrize("name", NAMES)
def test_each_key_left_out_is_optional_or_named(name: str) -> None:
    """Taking any key away either changes nothing that must be there, or is named at its place; it never crashes."""
    for way, table in list(tables(tree(name))):
        for key in table:
            raw = tree(name)
            del at(raw, way)[key]
            mended, found = mend(raw)
            named = any(f"{key}: is missing. Write " in mistake for mistake in found)
            assert named or decode(mended) is not None, (way, key)


@pytest.mark.parametrize("wrong", [1.5, [], True, {"x": {}}, 10**30])
def test_a_value_of_the_wrong_type_is_named_everywhere(wrong: object) -> None:
    """Whatever is written in place of a value, the tree is read to its end, and what does not fit is named there."""
    for way, table in list(tables(tree("caaartoons"))):
        for key, right in table.items():
            raw = tree("caaartoons")
            at(raw, way)[key] = wrong
            found = mend(raw)[1]
            if type(right) is not type(wrong):
                here = place(raw, (*way, key))
                assert any(mistake.startswith(here) for mistake in found), (way, key)


def test_several_mistakes_come_out_of_one_run() -> None:
    """Mistakes of shape do not hide mistakes of sense: one run names them all."""
    raw = tree()
    raw["surprise"] = 1
    del raw["tagline"]["fr"]
    raw["categories"][0]["purposes"] = ["nothing"]
    raw["promises"][0]["control"] = "no-password"
    found = mistakes(raw)
    assert {mistake.split(": ")[0] for mistake in found} == {
        "surprise",
        "tagline.fr",
        'promises[0] "no-passwords".control',
        'categories[0] "account".purposes',
        'purposes[0] "run-account"',
    }


def test_a_wrong_word_is_answered_with_the_right_one() -> None:
    """A slip of the pen gets the nearest known word; anything else gets the list."""
    raw = tree()
    raw["controller"]["contct"] = raw["controller"].pop("contact")
    assert mend(raw)[1] == [
        'controller.contct: this key is not known here. Did you mean "contact"?',
        "controller.contact: is missing. Write a text in quotes.",
    ]


def test_an_unknown_kind_of_source_is_told_the_kinds_there_are() -> None:
    """A source of a kind we cannot read is one mistake, not one for each of its keys."""
    raw = tree()
    raw["sources"][0]["kind"] = "mysql"
    raw["sources"][1].pop("kind")
    assert mend(raw)[1] == [
        'sources[0] "platform".kind: is "mysql". Write one of: postgres, stripe, s3, portal.',
        'sources[1] "stripe".kind: is missing. Write one of: postgres, stripe, s3, portal.',
    ]
