"""The grounds on which something is refused, takes longer, is paused or used again: one table, in plain words.

Always true here: a ground names its article and what it can refuse; one that blames the request itself needs a second
person. It is long because it is one table, in the order of the articles. Source: GDPR Art. 11, 12, 15-22; law/rules.md,
2a, 2b.
"""

from typing import Literal

from portal.policy.model import Frozen, Text


class Reason(Frozen, frozen=True, kw_only=True):
    """One ground. `plain` says it to the person; why it applies to them is written in the letter, case by case."""

    id: str
    use: Literal["refuse", "extend", "pause", "lift"]
    article: str
    """As it is cited, e.g. 17(3)(b)."""
    title: Text
    plain: Text
    rights: tuple[str, ...] = ()
    """The rights that it can refuse (`lifecycle.RIGHTS`)."""
    second_person: bool = False
    """True when it takes written proof, a second approver and the data protection officer's view. Source: 2a, S-17."""
    part_only: bool = False
    """True when it leaves out a part and can never refuse all. Source: GDPR Recital 63; law 2b."""


EVERY_RIGHT = (
    "access", "portability", "rectification", "erasure", "restriction", "objection", "consent", "automated",
)  # fmt: skip

REFUSE = (
    Reason(
        id="unfounded", use="refuse", article="12(5)", rights=EVERY_RIGHT, second_person=True,
        title=Text(en="Clearly unfounded", fr="Manifestement infondée"),
        plain=Text(
            en="The law lets us refuse a request that clearly has no basis. We must prove that.",
            fr="La loi nous permet de refuser une demande manifestement infondée. C’est à nous de le prouver.",
        ),
    ),
    Reason(
        id="excessive", use="refuse", article="12(5)", rights=EVERY_RIGHT, second_person=True,
        title=Text(en="Clearly too much", fr="Manifestement excessive"),
        plain=Text(
            en="The law lets us refuse requests that clearly go too far, above all the same one again and again. "
            "We must prove that.",
            fr="La loi nous permet de refuser des demandes manifestement excessives, surtout si elles se répètent. "
            "C’est à nous de le prouver.",
        ),
    ),
    Reason(
        id="unidentified", use="refuse", article="11(2)", rights=EVERY_RIGHT,
        title=Text(en="We cannot tell who you are", fr="Nous ne pouvons pas vous identifier"),
        plain=Text(
            en="We can only act on data when we know that it is yours. With what we have, we cannot know it.",
            fr="Nous ne pouvons agir sur des données que si nous savons qu’elles sont les vôtres. "
            "Avec ce que nous avons, nous ne pouvons pas le savoir.",
        ),
    ),
    Reason(
        id="others-copy", use="refuse", article="15(4)", rights=("access",), part_only=True,
        title=Text(en="It would harm somebody else", fr="Cela nuirait à quelqu’un d’autre"),
        plain=Text(
            en="A copy must not harm the rights of other people. We left out only what would.",
            fr="Une copie ne doit pas porter atteinte aux droits d’autres personnes. Nous n’avons écarté que cela.",
        ),
    ),
    Reason(
        id="others-portability", use="refuse", article="20(4)", rights=("portability",), part_only=True,
        title=Text(en="It would harm somebody else", fr="Cela nuirait à quelqu’un d’autre"),
        plain=Text(
            en="What you take with you must not harm the rights of other people. We left out only what would.",
            fr="Ce que vous emportez ne doit pas porter atteinte aux droits d’autres personnes. "
            "Nous n’avons écarté que cela.",
        ),
    ),
    Reason(
        id="not-portable", use="refuse", article="20(1)", rights=("portability",),
        title=Text(en="Not data to take along", fr="Ces données ne sont pas portables"),
        plain=Text(
            en="This right covers what you gave us, or what came from your use, under a contract or your consent. "
            "You can still have a copy of the rest.",
            fr="Ce droit couvre ce que vous nous avez donné, ou qui vient de votre usage, sur contrat ou avec votre "
            "consentement. Vous pouvez toujours avoir une copie du reste.",
        ),
    ),
    Reason(
        id="accurate", use="refuse", article="16", rights=("rectification",),
        title=Text(en="It is right, as far as we can see", fr="C’est exact, autant que nous puissions voir"),
        plain=Text(
            en="We change what is wrong, and complete what is missing. We looked, and found neither.",
            fr="Nous corrigeons ce qui est faux et complétons ce qui manque. Nous avons vérifié, et n’avons trouvé ni "
            "l’un ni l’autre.",
        ),
    ),
    Reason(
        id="elsewhere", use="refuse", article="16", rights=("rectification",),
        title=Text(en="It comes from somewhere else", fr="Cela vient d’ailleurs"),
        plain=Text(
            en="This comes to us from another company. If we changed it here, the old value would come back. "
            "Please change it there.",
            fr="Cela nous vient d’une autre entreprise. Si nous le changions ici, l’ancienne valeur reviendrait. "
            "Changez-le chez elle.",
        ),
    ),
    Reason(
        id="still-needed", use="refuse", article="17(1)", rights=("erasure",),
        title=Text(en="We still need it", fr="Nous en avons encore besoin"),
        plain=Text(
            en="Data must be erased in six cases, for example when it is no longer needed. None of them applies here.",
            fr="Des données doivent être effacées dans six cas, par exemple quand elles ne servent plus. "
            "Aucun ne s’applique ici.",
        ),
    ),
    Reason(
        id="expression", use="refuse", article="17(3)(a)", rights=("erasure",),
        title=Text(en="Freedom of expression", fr="Liberté d’expression"),
        plain=Text(
            en="The law lets this stay so that people can speak and be informed freely.",
            fr="La loi permet de le garder au nom de la liberté d’expression et d’information.",
        ),
    ),
    Reason(
        id="legal-duty", use="refuse", article="17(3)(b)", rights=("erasure",),
        title=Text(en="A law makes us keep it", fr="Une loi nous oblige à le garder"),
        plain=Text(
            en="A law makes us keep this for a time. Nobody uses it for anything else.",
            fr="Une loi nous oblige à le garder un certain temps. Personne ne s’en sert pour autre chose.",
        ),
    ),
    Reason(
        id="public-health", use="refuse", article="17(3)(c)", rights=("erasure",),
        title=Text(en="Public health", fr="Santé publique"),
        plain=Text(
            en="The law lets this stay because public health needs it.",
            fr="La loi permet de le garder parce que la santé publique l’exige.",
        ),
    ),
    Reason(
        id="research", use="refuse", article="17(3)(d)", rights=("erasure",),
        title=Text(en="Archives or research", fr="Archives ou recherche"),
        plain=Text(
            en="The law lets this stay for archives, research or statistics that erasing it would spoil.",
            fr="La loi permet de le garder pour des archives, des recherches ou des statistiques que l’effacement "
            "compromettrait.",
        ),
    ),
    Reason(
        id="claims", use="refuse", article="17(3)(e)", rights=("erasure",),
        title=Text(en="A legal claim", fr="Un droit à défendre en justice"),
        plain=Text(
            en="We may keep what a legal claim needs, for as long as it does. Nobody uses it for anything else.",
            fr="Nous pouvons garder ce qu’il faut pour défendre un droit en justice, le temps nécessaire. "
            "Personne ne s’en sert pour autre chose.",
        ),
    ),
    Reason(
        id="no-pause", use="refuse", article="18(1)", rights=("restriction",),
        title=Text(en="None of the four cases", fr="Aucun des quatre cas"),
        plain=Text(
            en="A pause is due in four cases: a doubt about accuracy, an unlawful use, your own legal claim, or an "
            "objection that is being looked at. None of them applies here.",
            fr="La pause est due dans quatre cas\u00a0: un doute sur l’exactitude, un usage illicite, un droit que "
            "vous défendez en justice, ou une opposition à l’étude. Aucun ne s’applique ici.",
        ),
    ),
    Reason(
        id="compelling", use="refuse", article="21(1)", rights=("objection",),
        title=Text(en="Compelling grounds", fr="Motifs impérieux"),
        plain=Text(
            en="We may go on only if our grounds are compelling and weigh more than your interests and rights. "
            "We must show that.",
            fr="Nous ne pouvons continuer que si nos motifs sont impérieux et pèsent plus que vos intérêts et vos "
            "droits. C’est à nous de le montrer.",
        ),
    ),
    Reason(
        id="objection-claims", use="refuse", article="21(1)", rights=("objection",),
        title=Text(en="A legal claim", fr="Un droit à défendre en justice"),
        plain=Text(
            en="We may go on with what a legal claim needs, and with nothing else.",
            fr="Nous pouvons continuer pour ce qu’exige un droit à défendre en justice, et pour rien d’autre.",
        ),
    ),
    Reason(
        id="no-objection", use="refuse", article="21(1)", rights=("objection",),
        title=Text(en="Not a use you can say no to", fr="Un usage qu’on ne peut refuser"),
        plain=Text(
            en="You can say no to a use that rests on our own interest. This one rests on something else.",
            fr="Vous pouvez dire non à un usage fondé sur notre propre intérêt. Celui-ci repose sur autre chose.",
        ),
    ),
    Reason(
        id="no-consent", use="refuse", article="7(3)", rights=("consent",),
        title=Text(en="It does not rest on consent", fr="Cela ne repose pas sur un consentement"),
        plain=Text(
            en="You can take back a consent that you gave. This use does not rest on one.",
            fr="Vous pouvez retirer un consentement que vous avez donné. Cet usage n’en dépend pas.",
        ),
    ),
    Reason(
        id="no-decision", use="refuse", article="22(1)", rights=("automated",),
        title=Text(en="No such decision", fr="Aucune décision de ce genre"),
        plain=Text(
            en="No program alone has taken a decision about you with a legal or a similar effect.",
            fr="Aucun programme n’a pris seul, à votre sujet, une décision à effet juridique ou comparable.",
        ),
    ),
)  # fmt: skip

EXTEND = (
    Reason(
        id="complexity", use="extend", article="12(3)",
        title=Text(en="The request is complex", fr="La demande est complexe"),
        plain=Text(
            en="Your request is complex, and we want the answer to be right.",
            fr="Votre demande est complexe, et nous voulons que la réponse soit juste.",
        ),
    ),
    Reason(
        id="number", use="extend", article="12(3)",
        title=Text(en="Several requests from you", fr="Plusieurs demandes de votre part"),
        plain=Text(
            en="You have asked us for several things, and we answer them all.",
            fr="Vous nous avez fait plusieurs demandes, et nous répondons à toutes.",
        ),
    ),
)  # fmt: skip
"""The only two, and both are about this person: many requests from many people are no reason. Source: Art. 12(3)."""

PAUSE = (
    Reason(
        id="accuracy", use="pause", article="18(1)(a)",
        title=Text(en="You say that it is wrong", fr="Vous dites que c’est inexact"),
        plain=Text(
            en="You say that the data is wrong. It stays out of use while we check.",
            fr="Vous dites que les données sont inexactes. Elles restent hors d’usage pendant que nous vérifions.",
        ),
    ),
    Reason(
        id="unlawful", use="pause", article="18(1)(b)",
        title=Text(en="The use was unlawful", fr="L’usage était illicite"),
        plain=Text(
            en="The use was unlawful, and you want the data paused and not erased.",
            fr="L’usage était illicite, et vous voulez une pause plutôt qu’un effacement.",
        ),
    ),
    Reason(
        id="claims", use="pause", article="18(1)(c)",
        title=Text(en="You need it for a legal claim", fr="Vous en avez besoin en justice"),
        plain=Text(
            en="We no longer need the data, but you need it for a legal claim.",
            fr="Nous n’en avons plus besoin, mais vous en avez besoin pour défendre un droit en justice.",
        ),
    ),
    Reason(
        id="objection", use="pause", article="18(1)(d)",
        title=Text(en="You have said no to a use", fr="Vous avez dit non à un usage"),
        plain=Text(
            en="You have said no to a use. It stops while we weigh your reasons and ours.",
            fr="Vous avez dit non à un usage. Il s’arrête pendant que nous pesons vos raisons et les nôtres.",
        ),
    ),
)  # fmt: skip
"""The four of Art. 18(1), by the reasons of `rights.tables.Restriction`."""

LIFT = (
    Reason(
        id="checked", use="lift", article="18(3)",
        title=Text(en="We have checked", fr="Nous avons vérifié"),
        plain=Text(
            en="We have checked what you doubted, and told you the result.",
            fr="Nous avons vérifié ce dont vous doutiez, et vous avons donné le résultat.",
        ),
    ),
    Reason(
        id="weighed", use="lift", article="18(3)",
        title=Text(en="We have weighed your objection", fr="Nous avons examiné votre opposition"),
        plain=Text(
            en="We have weighed your objection, and told you our decision.",
            fr="Nous avons examiné votre opposition, et vous avons donné notre décision.",
        ),
    ),
    Reason(
        id="claim-over", use="lift", article="18(3)",
        title=Text(en="Your legal claim is over", fr="Votre affaire est terminée"),
        plain=Text(
            en="The legal claim for which you needed the data is over.",
            fr="L’affaire pour laquelle vous aviez besoin des données est terminée.",
        ),
    ),
    Reason(
        id="asked", use="lift", article="18(3)",
        title=Text(en="You asked for it", fr="Vous l’avez demandé"),
        plain=Text(en="You asked us to end the pause.", fr="Vous nous avez demandé de mettre fin à la pause."),
    ),
)  # fmt: skip
