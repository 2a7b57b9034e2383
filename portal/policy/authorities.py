"""The data protection authorities a person may turn to, by the country they live in.

Always true here: facts alone, in one table, with the day somebody compared them; the policy's own authority is never
left out, whatever country the person lives in. Source: GDPR Art. 77(1), 13(2)(d).
"""

from datetime import date
from typing import Literal
from urllib.parse import urlsplit

from portal.policy.model import Authority, Frozen, Policy, Text

COMPARED = date(2026, 11, 22)
"""The day names and addresses were compared with a public directory of authorities, itself dated 30 March 2026, and
with stored pages of the authorities. Nobody opened the live sites that day: look again before you rely on one."""

type Reach = Literal["gdpr", "uk", "elsewhere"]
"""`gdpr`: takes complaints under Art. 77. `uk`: after the organisation's own procedure (Data Protection Act 2018,
s. 164A). `elsewhere`: another law's authority, told for information."""


class NationalAuthority(Frozen, frozen=True, kw_only=True):
    """One authority. `country` is an ISO 3166 code; California, which is no country, is US-CA."""

    country: str
    name: Text
    """How to call it in English and in French."""
    official: str
    """Its name in its own language."""
    url: str
    reach: Reach = "gdpr"
    note: Text | None = None
    """What else a person must know to reach the right place."""
    compared: date | None = COMPARED
    """None: nobody has compared this row yet."""


class Authorities(Frozen, frozen=True, kw_only=True):
    """Where one person can complain: always the policy's own authority, and their country's when it is another."""

    own: Authority
    theirs: NationalAuthority | None = None

    def first(self, language: str) -> Authority:
        """Return the one to name first: their country's if it takes such complaints, else the policy's own."""
        if self.theirs is None or self.theirs.reach == "elsewhere":
            return self.own
        return Authority(name=self.theirs.name[language], url=self.theirs.url)


def authority_for(country: str | None, policy: Policy) -> Authorities:
    """Return where a person from `country` can complain; None or an unknown code leave the policy's own authority.

    `country` is an ISO 3166 alpha-2 code in either case, US-CA for California; UK and EL are understood, too.
    """
    own = policy.controller.authority
    theirs = BY_COUNTRY.get(_code(country))
    if theirs is None or _host(theirs.url) == _host(own.url):
        return Authorities(own=own)
    return Authorities(own=own, theirs=theirs)


def _code(country: str | None) -> str:
    code = (country or "").strip().upper()
    return {"UK": "GB", "EL": "GR"}.get(code, code)


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").removeprefix("www.")


def _row(country: str, en: str, fr: str, official: str, url: str) -> NationalAuthority:
    return NationalAuthority(country=country, name=Text(en=en, fr=fr), official=official, url=url)


GERMANY = NationalAuthority(
    country="DE",
    name=Text(
        en="Federal Commissioner for Data Protection and Freedom of Information (BfDI)",
        fr="Commissaire fédéral à la protection des données et à la liberté d’information (BfDI)",
    ),
    official="Bundesbeauftragte für den Datenschutz und die Informationsfreiheit",
    url="https://www.bfdi.bund.de",
    note=Text(
        en="For a company, the authority of your federal state decides. The federal one says which it is.",
        fr="Pour une entreprise, c’est l’autorité de votre Land qui décide. L’autorité fédérale vous dira laquelle.",
    ),
)

UNITED_KINGDOM = NationalAuthority(
    country="GB",
    name=Text(en="Information Commissioner’s Office (ICO)", fr="Information Commissioner’s Office (ICO)"),
    official="Information Commissioner’s Office",
    url="https://ico.org.uk",
    reach="uk",
)
"""Its functions pass to a body named Information Commission once s. 119 of the Data (Use and Access) Act 2025 is in
force; the day was not found. The address stays."""

ELSEWHERE = (
    NationalAuthority(
        country="CH",
        name=Text(
            en="Federal Data Protection and Information Commissioner (FDPIC)",
            fr="Préposé fédéral à la protection des données et à la transparence (PFPDT)",
        ),
        official="Eidgenössischer Datenschutz- und Öffentlichkeitsbeauftragter",
        url="https://www.edoeb.admin.ch",
        reach="elsewhere",
    ),
    NationalAuthority(
        country="BR",
        name=Text(
            en="National Data Protection Agency (ANPD)", fr="Agence nationale de protection des données (ANPD)"
        ),
        official="Agência Nacional de Proteção de Dados",
        url="https://www.gov.br/anpd",
        reach="elsewhere",
    ),
    NationalAuthority(
        country="US-CA",
        name=Text(en="California Privacy Protection Agency", fr="California Privacy Protection Agency"),
        official="California Privacy Protection Agency",
        url="https://cppa.ca.gov",
        reach="elsewhere",
    ),
)  # fmt: skip

EUROPE = (
    _row("AT", "Austrian Data Protection Authority (DSB)", "Autorité autrichienne de protection des données (DSB)",
         "Österreichische Datenschutzbehörde", "https://www.dsb.gv.at"),
    _row("BE", "Belgian Data Protection Authority (APD-GBA)", "Autorité de protection des données (APD-GBA)",
         "Autorité de protection des données / Gegevensbeschermingsautoriteit", "https://www.dataprotectionauthority.be"),
    _row("BG", "Commission for Personal Data Protection (CPDP)",
         "Commission bulgare de protection des données personnelles (CPDP)",
         "Комисия за защита на личните данни", "https://cpdp.bg"),
    _row("HR", "Croatian Personal Data Protection Agency (AZOP)",
         "Agence croate de protection des données personnelles (AZOP)",
         "Agencija za zaštitu osobnih podataka", "https://azop.hr"),
    _row("CY", "Office of the Commissioner for Personal Data Protection",
         "Bureau du commissaire chypriote à la protection des données personnelles",
         "Γραφείο Επιτρόπου Προστασίας Δεδομένων Προσωπικού Χαρακτήρα", "https://www.dataprotection.gov.cy"),
    _row("CZ", "Office for Personal Data Protection (ÚOOÚ)",
         "Office tchèque de protection des données personnelles (ÚOOÚ)",
         "Úřad pro ochranu osobních údajů", "https://uoou.gov.cz"),
    _row("DK", "Danish Data Protection Agency (Datatilsynet)",
         "Agence danoise de protection des données (Datatilsynet)", "Datatilsynet", "https://www.datatilsynet.dk"),
    _row("EE", "Data Protection Inspectorate (AKI)", "Inspection estonienne de la protection des données (AKI)",
         "Andmekaitse Inspektsioon", "https://www.aki.ee"),
    _row("FI", "Office of the Data Protection Ombudsman", "Bureau du médiateur finlandais à la protection des données",
         "Tietosuojavaltuutetun toimisto", "https://tietosuoja.fi"),
    _row("FR", "CNIL", "CNIL", "Commission nationale de l’informatique et des libertés", "https://www.cnil.fr"),
    GERMANY,
    _row("GR", "Hellenic Data Protection Authority (HDPA)", "Autorité hellénique de protection des données (HDPA)",
         "Αρχή Προστασίας Δεδομένων Προσωπικού Χαρακτήρα", "https://www.dpa.gr"),
    _row("HU", "National Authority for Data Protection and Freedom of Information (NAIH)",
         "Autorité hongroise pour la protection des données et la liberté d’information (NAIH)",
         "Nemzeti Adatvédelmi és Információszabadság Hatóság", "https://www.naih.hu"),
    _row("IS", "Icelandic Data Protection Authority (Persónuvernd)",
         "Autorité islandaise de protection des données (Persónuvernd)",
         "Persónuvernd", "https://island.is/en/o/the-data-protection-authority"),
    _row("IE", "Data Protection Commission (DPC)", "Commission irlandaise de protection des données (DPC)",
         "Data Protection Commission", "https://www.dataprotection.ie"),
    _row("IT", "Italian Data Protection Authority (Garante)",
         "Autorité italienne de protection des données (Garante)",
         "Garante per la protezione dei dati personali", "https://www.garanteprivacy.it"),
    _row("LV", "Data State Inspectorate (DVI)", "Inspection lettone des données (DVI)",
         "Datu valsts inspekcija", "https://www.dvi.gov.lv"),
    _row("LI", "Data Protection Authority of Liechtenstein",
         "Autorité de protection des données du Liechtenstein",
         "Datenschutzstelle", "https://www.datenschutzstelle.li"),
    _row("LT", "State Data Protection Inspectorate (VDAI)",
         "Inspection lituanienne de la protection des données (VDAI)",
         "Valstybinė duomenų apsaugos inspekcija", "https://vdai.lrv.lt"),
    _row("LU", "National Commission for Data Protection (CNPD)",
         "Commission nationale pour la protection des données (CNPD)",
         "Commission nationale pour la protection des données", "https://cnpd.public.lu"),
    _row("MT", "Office of the Information and Data Protection Commissioner (IDPC)",
         "Bureau du commissaire maltais à l’information et à la protection des données (IDPC)",
         "Uffiċċju tal-Kummissarju għall-Informazzjoni u l-Protezzjoni tad-Data", "https://idpc.org.mt"),
    _row("NL", "Dutch Data Protection Authority (AP)", "Autorité néerlandaise de protection des données (AP)",
         "Autoriteit Persoonsgegevens", "https://autoriteitpersoonsgegevens.nl"),
    _row("NO", "Norwegian Data Protection Authority (Datatilsynet)",
         "Autorité norvégienne de protection des données (Datatilsynet)",
         "Datatilsynet", "https://www.datatilsynet.no"),
    _row("PL", "Personal Data Protection Office (UODO)",
         "Office polonais de protection des données personnelles (UODO)",
         "Urząd Ochrony Danych Osobowych", "https://uodo.gov.pl"),
    _row("PT", "Portuguese Data Protection Authority (CNPD)",
         "Commission nationale portugaise de protection des données (CNPD)",
         "Comissão Nacional de Proteção de Dados", "https://www.cnpd.pt"),
    _row("RO", "National Supervisory Authority for Personal Data Processing (ANSPDCP)",
         "Autorité nationale roumaine de surveillance du traitement des données personnelles (ANSPDCP)",
         "Autoritatea Națională de Supraveghere a Prelucrării Datelor cu Caracter Personal",
         "https://www.dataprotection.ro"),
    _row("SK", "Office for Personal Data Protection of the Slovak Republic (ÚOOÚ SR)",
         "Office slovaque de protection des données personnelles (ÚOOÚ SR)",
         "Úrad na ochranu osobných údajov Slovenskej republiky", "https://dataprotection.gov.sk"),
    _row("SI", "Information Commissioner of the Republic of Slovenia (IP)",
         "Commissaire à l’information de la République de Slovénie (IP)",
         "Informacijski pooblaščenec", "https://www.ip-rs.si"),
    _row("ES", "Spanish Data Protection Agency (AEPD)", "Agence espagnole de protection des données (AEPD)",
         "Agencia Española de Protección de Datos", "https://www.aepd.es"),
    _row("SE", "Swedish Authority for Privacy Protection (IMY)",
         "Autorité suédoise de protection de la vie privée (IMY)",
         "Integritetsskyddsmyndigheten", "https://www.imy.se"),
)  # fmt: skip
"""The 27 members of the Union with Iceland, Liechtenstein and Norway."""

BY_COUNTRY = {row.country: row for row in (*EUROPE, UNITED_KINGDOM, *ELSEWHERE)}
