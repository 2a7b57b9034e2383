"""The words of the report that are ours, in English and French. The order brings all others.

Always true here: both languages have every phrase, because the type says so.
"""

from collections.abc import Mapping

import msgspec


class Phrases(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the report says by itself. `{}` parts are filled by `str.format`."""

    document_title: str
    volume_title: str
    lead: str
    lead_no_name: str
    for_whom: str
    reference: str
    records: str
    records_one: str
    records_many: str
    in_categories_one: str
    in_categories_many: str
    also: str
    also_data: str
    also_files_one: str
    also_files_many: str
    searched: str
    private: str
    footer: str
    page_of: str
    contents: str
    what: str
    value: str
    why: str
    until: str
    recipients: str
    origin: str
    nothing_here: str
    newest: str
    some: str
    rest_in_volumes: str
    rest_in_data: str
    all_fields: str
    trimmed: str
    files_title: str
    file_name: str
    file_kind: str
    file_size: str
    file_place: str
    file_lost: str
    more_files: str
    rights_title: str
    use: str
    ground: str
    may: str
    not_here_title: str
    missing: str
    missing_files: str
    section_missing: str
    withheld: str
    withheld_passages: tuple[str, str]
    withheld_values: tuple[str, str]
    withheld_files: tuple[str, str]
    withheld_complain: str
    withheld_mark: str
    """What stands in the place of what was left out, in every file."""
    withheld_file: str
    reasons: Mapping[str, str]
    volume_lead: str
    yes: str
    no: str
    nothing_title: str
    nothing_lead: str
    where_we_looked: str
    nothing_found: str
    plain_page: tuple[str, ...]


ENGLISH = Phrases(
    document_title="Your data at {organisation} – {reference}",
    volume_title="{title}, part {number} of {count} – {organisation} – {reference}",
    lead="Everything we hold about {name}, on {moment}.",
    lead_no_name="Everything we hold about you, on {moment}.",
    for_whom="For",
    reference="Reference",
    records="Records",
    records_one="1 record",
    records_many="{count} records",
    in_categories_one="in 1 category",
    in_categories_many="in {count} categories",
    also="Also in the ZIP",
    also_data="the same data as JSON and CSV",
    also_files_one=", and your file",
    also_files_many=", and your {count} files",
    searched="We looked in",
    private="This document is private. Whoever holds it can read what is in it.",
    footer="{organisation} · {reference} · private",
    page_of="Page {page} of {pages}",
    contents="What is in here",
    what="What",
    value="Value",
    why="Why we have it:",
    until="Until:",
    recipients="Who else gets it:",
    origin="Where it comes from:",
    nothing_here="We hold nothing of this kind about you.",
    newest="Above: the newest {shown} of {total}.",
    some="Above: {shown} of {total}.",
    rest_in_volumes="All of them: {first} to {last} in the ZIP.",
    rest_in_data="All of them: {path} in the ZIP.",
    all_fields="Every detail of each record is in {path} in the ZIP.",
    trimmed="[{count} more characters: see {path}]",
    files_title="Files",
    file_name="File",
    file_kind="Kind",
    file_size="Size",
    file_place="In the ZIP",
    file_lost="could not be read",
    more_files="{count} more are listed in files/index.csv.",
    rights_title="What we do with it, and your rights",
    use="Use",
    ground="Ground",
    may="You may",
    not_here_title="What is not in here, and why",
    missing="{section}, from {source}: {reason} ({moment}). This copy does not have these records.",
    missing_files="{section}, from {source}: {reason} ({moment}). Some files are not in this copy.",
    section_missing="Not complete. {source}: {reason} ({moment}).",
    withheld="{section}. Withheld: {counts}. {article}: {ground}",
    withheld_passages=("1 passage", "{count} passages"),
    withheld_values=("1 whole value", "{count} whole values"),
    withheld_files=("1 file", "{count} files"),
    withheld_complain="If you do not agree with what was withheld, tell us, or complain: the chapter before says how.",
    withheld_mark="[withheld]",
    withheld_file="This file is withheld. {article}: {ground}",
    reasons={
        "unavailable": "this system did not answer",
        "refused": "this system refused to answer",
        "unsupported": "a person must look this up by hand",
    },
    volume_lead="Records {first} to {last} of {total}, newest first.",
    yes="yes",
    no="no",
    nothing_title="We hold nothing about you.",
    nothing_lead="We looked everywhere we keep data about people, on {moment}, for {email}. We found no record.",
    where_we_looked="Where we looked",
    nothing_found="nothing found",
    plain_page=(
        "Your data: {reference}",
        "We could not lay out the readable report this time. Nothing is lost.",
        "All your data is in the ZIP: data.json holds everything, and the folder data",
        "holds one table (CSV) per category. Your files are in the folder files.",
        "Questions? Write to {contact}.",
    ),
)

FRENCH = Phrases(
    document_title="Vos données chez {organisation} – {reference}",
    volume_title="{title}, partie {number} sur {count} – {organisation} – {reference}",
    lead="Tout ce que nous conservons sur {name}, le {moment}.",
    lead_no_name="Tout ce que nous conservons sur vous, le {moment}.",
    for_whom="Pour",
    reference="Référence",
    records="Éléments",
    records_one="1 élément",
    records_many="{count} éléments",
    in_categories_one="dans 1 catégorie",
    in_categories_many="dans {count} catégories",
    also="Aussi dans le ZIP",
    also_data="les mêmes données en JSON et CSV",
    also_files_one=", et votre fichier",
    also_files_many=", et vos {count} fichiers",
    searched="Nous avons cherché dans",
    private="Ce document est privé. Quiconque le détient peut lire ce qu’il contient.",
    footer="{organisation} · {reference} · privé",
    page_of="Page {page} sur {pages}",
    contents="Ce que contient ce document",
    what="Quoi",
    value="Valeur",
    why="Pourquoi nous l’avons :",
    until="Jusqu’à quand :",
    recipients="Qui d’autre le reçoit :",
    origin="D’où cela vient :",
    nothing_here="Nous ne conservons rien de ce genre sur vous.",
    newest="Ci-dessus : les {shown} plus récents sur {total}.",
    some="Ci-dessus : {shown} sur {total}.",
    rest_in_volumes="Tous les éléments : {first} à {last} dans le ZIP.",
    rest_in_data="Tous les éléments : {path} dans le ZIP.",
    all_fields="Le détail de chaque élément est dans {path} dans le ZIP.",
    trimmed="[{count} caractères de plus : voir {path}]",
    files_title="Fichiers",
    file_name="Fichier",
    file_kind="Type",
    file_size="Taille",
    file_place="Dans le ZIP",
    file_lost="n’a pas pu être lu",
    more_files="{count} autres figurent dans files/index.csv.",
    rights_title="Ce que nous en faisons, et vos droits",
    use="Usage",
    ground="Fondement",
    may="Vous pouvez",
    not_here_title="Ce qui n’est pas ici, et pourquoi",
    missing="{section}, depuis {source} : {reason} ({moment}). Ces éléments ne sont pas dans cette copie.",
    missing_files="{section}, depuis {source} : {reason} ({moment}). Certains fichiers ne sont pas dans cette copie.",
    section_missing="Incomplet. {source} : {reason} ({moment}).",
    withheld="{section}. Non communiqué : {counts}. {article} : {ground}",
    withheld_passages=("1 passage", "{count} passages"),
    withheld_values=("1 valeur entière", "{count} valeurs entières"),
    withheld_files=("1 fichier", "{count} fichiers"),
    withheld_complain=(
        "Si vous n’êtes pas d’accord avec ce qui a été écarté, dites-le-nous, ou déposez une réclamation : "
        "le chapitre précédent explique comment."
    ),
    withheld_mark="[non communiqué]",
    withheld_file="Ce fichier n’est pas communiqué. {article} : {ground}",
    reasons={
        "unavailable": "ce système n’a pas répondu",
        "refused": "ce système a refusé de répondre",
        "unsupported": "une personne doit chercher elle-même",
    },
    volume_lead="Éléments {first} à {last} sur {total}, du plus récent au plus ancien.",
    yes="oui",
    no="non",
    nothing_title="Nous ne conservons rien sur vous.",
    nothing_lead=(
        "Nous avons cherché partout où nous gardons des données sur des personnes, le {moment}, pour {email}. "
        "Nous n’avons trouvé aucun élément."
    ),
    where_we_looked="Où nous avons cherché",
    nothing_found="rien trouvé",
    plain_page=(
        "Vos données : {reference}",
        "Nous n’avons pas pu mettre en page le document cette fois. Rien n’est perdu.",
        "Toutes vos données sont dans le ZIP : data.json contient tout, et le dossier data",
        "contient un tableau (CSV) par catégorie. Vos fichiers sont dans le dossier files.",
        "Une question ? Écrivez à {contact}.",
    ),
)


def phrases(language: str) -> Phrases:
    """Return the words of a language; English where we have no other."""
    return FRENCH if language == "fr" else ENGLISH
