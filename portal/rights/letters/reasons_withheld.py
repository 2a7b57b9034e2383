"""The grounds on which passages of a copy are withheld, beside the harm to other people's rights that can refuse it.

Always true here: none of them can refuse a whole request; what is not withheld is given. Source: GDPR Art. 15(4),
20(4), 23(1); recital 63.
"""

from portal.policy.model import Text
from portal.rights.letters.reasons_table import Reason

_SECRET = Text(en="A trade secret of somebody else", fr="Un secret d’affaires de quelqu’un d’autre")
_SECRET_PLAIN = Text(
    en="A copy must not give away somebody else’s trade secret. We left out only that.",
    fr="Une copie ne doit pas révéler le secret d’affaires de quelqu’un d’autre. Nous n’avons écarté que cela.",
)

WITHHOLD = (
    Reason(
        id="secret-copy", use="refuse", article="15(4)", rights=("access",), title=_SECRET, plain=_SECRET_PLAIN,
    ),
    Reason(
        id="secret-portability", use="refuse", article="20(4)", rights=("portability",), title=_SECRET,
        plain=_SECRET_PLAIN,
    ),
    Reason(
        id="privilege", use="refuse", article="23(1)", rights=("access", "portability"),
        title=Text(en="What a lawyer was told in confidence", fr="Échanges confidentiels avec un avocat"),
        plain=Text(
            en="The law protects what is said in confidence between a lawyer and a client. We left out only that.",
            fr="La loi protège les échanges confidentiels entre un avocat et son client. Nous n’avons écarté que cela.",
        ),
    ),
)  # fmt: skip
