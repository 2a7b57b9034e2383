"""The controls a promise can be bound to: what makes a sentence of the policy true.

Always true here: a promise that names a control that is not in this list is a mistake of the policy file. A control
in the list is what we would look at; only the promise register says whether it was looked at, and what it saw.
"""

from collections.abc import Mapping

CONTROLS: Mapping[str, str] = {
    "account-fields": "Only the declared columns are read, and every other column has a reason.",
    "ai-providers-named": "Each job's record names the provider that was really used.",
    "answer-within": "Every request carries its due day, the earlier of the promise and the law.",
    "authorities-told": "The breach room keeps the notice to the authority and its time.",
    "breach-notice": "The breach clock counts from awareness to the last message sent.",
    "cards-stay-at-stripe": "No declared column can hold a card number; a scan looks for them in free text.",
    "change-notice": "A new version takes effect only after the announced days.",
    "complaint-route": "The authority's address is on every page and in every answer.",
    "data-region": "The region of every store is compared with the one promised.",
    "descriptions-alone-leave": "Outgoing calls to the image maker hold the description only.",
    "encrypted-files": "The bucket refuses what is not encrypted; the check asks it.",
    "erasure-self-service": "A person can have the account and what belongs to it erased from one page.",
    "gallery-isolation": "Every image, file and copy is looked up together with its owner.",
    "https-only": "The portal answers over HTTPS only and says so to browsers for a year.",
    "inquiry-within": "Every question gets a day by which it is answered.",
    "ip-in-memory": "Addresses for limits live in memory and are gone within the hour.",
    "job-isolation": "An engineer signs for it, with a test log and a day it runs out.",
    "minimum-age": "A report of a child's account needs no sign-in and freezes the account.",
    "no-automated-decisions": "The inputs of the model router are declared; none is about the person.",
    "no-training": "No declared use trains a model; a new use needs a new version of the policy.",
    "no-trackers": "A browser visits every page: nothing is loaded from anywhere else.",
    "no-passwords": "The schema is read: no column can hold a password of a person.",
    "one-cookie": "A clean browser visits every page and compares what it was given with the list.",
    "period-kept": "The nightly clean-up shows what was past its day, and that none is left.",
    "recipients-listed": "The list of recipients is published with its versions.",
    "rights-offered": "Every right can be asked for on the home page, by anyone.",
    "session-life": "A session ends after the promised days, whatever the browser does.",
    "sign-in-link-life": "A link older than the promised minutes is refused, and each works once.",
    "signed-cookie": "A changed cookie is refused; scripts cannot read it.",
    "social-claims": "Only the declared claims of Google and Microsoft are read; the rest is dropped.",
    "transfer-tools": "Every recipient outside the EEA has a transfer tool with a day of review.",
    "uses-declared": "Data is used for the declared purposes; each has one legal basis.",
    "version-shown": "The day shown is the day of the version in force; old versions stay readable.",
}
