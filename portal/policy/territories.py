"""Which countries the law treats as inside, and for which the Commission has decided that protection is adequate.

Always true here: the tables carry the day they were looked at; they change by decision, not by code.
"""

from babel import Locale

AS_OF = "2026-11-01"

EEA = frozenset({
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE",
    "IS", "IT", "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
})  # fmt: skip
"""The 27 members of the Union with Iceland, Liechtenstein and Norway. Source: EEA Joint Committee 154/2018."""

ADEQUATE = frozenset({"AD", "AR", "CA", "CH", "FO", "GB", "GG", "IL", "IM", "JE", "JP", "KR", "NZ", "UY"})
"""Countries with a decision under Art. 45 that covers every company in scope. The United States are not among them:
there the decision covers companies on the Data Privacy Framework list only, which is the tool `dpf`."""


def is_country(code: str) -> bool:
    """Tell whether `code` is an ISO 3166 alpha-2 code of a country."""
    return (
        len(code) == 2 and code.isalpha() and code in Locale("en").territories and code not in {"EU", "EZ", "UN", "ZZ"}
    )
