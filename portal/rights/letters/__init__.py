"""The letters: what the law wants a person to be told, block by block, in English and French.

Always true here: a letter is a frozen struct of blocks, made by one function per letter; `render` refuses it while a
required block is empty, and names the block and the rule.
"""

from portal.rights.letters.blocks import Case, Letter, Line, NotComplete, case_of
from portal.rights.letters.changes import Change, Result, Told, erasure, rectification
from portal.rights.letters.copies import access, portability
from portal.rights.letters.intake import acknowledgement, extension, fee, identity_question
from portal.rights.letters.pauses import (
    consent_withdrawn,
    lifting_notice,
    objection_stopped,
    objection_weighed,
    restriction,
)
from portal.rights.letters.refusals import no_data, partial_refusal, refusal, unidentified
from portal.rights.letters.replies import automated_answer, complaint_answer, inquiry_answer
from portal.rights.letters.writing import Written, as_mail, digest, render

__all__ = [
    "Case", "Change", "Letter", "Line", "NotComplete", "Result", "Told", "Written", "access", "acknowledgement",
    "as_mail", "automated_answer", "case_of", "complaint_answer", "consent_withdrawn", "digest", "erasure",
    "extension", "fee", "identity_question", "inquiry_answer", "lifting_notice", "no_data", "objection_stopped",
    "objection_weighed", "partial_refusal", "portability", "rectification", "refusal", "render", "restriction",
    "unidentified",
]  # fmt: skip
