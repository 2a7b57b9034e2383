"""The tables of the product, for Piccolo's migrations."""

from pathlib import Path

from piccolo.conf.apps import AppConfig

from portal.evidence.tables import Evidence, KnownTombstone, Sealed, SealKey
from portal.identity.tables import KnownIdentifier, OutsideAttempt, OutsideIdentity, Session, SignInAttempt, Subject
from portal.mail.tables import Mail, MailBody, MailEvent
from portal.rights.tables import (
    ExportPart,
    HeldItem,
    Parcel,
    Plan,
    PlanItem,
    RequestMessage,
    Restriction,
    SubjectRequest,
    Task,
    TimelineEntry,
)
from portal.rights.tables_alarms import FailureEnd, Reminder
from portal.rights.tables_clock import Heartbeat
from portal.rights.tables_desk import Approval, RequestNote
from portal.rights.tables_figures import RequestTally, TallyMark
from portal.rights.tables_intake import IntakeForm, Upload
from portal.rights.tables_looks import RequestLook
from portal.rights.tables_receipts import Receipt, ReceiptKey
from portal.rights.tables_rectification import AddressChange, Correction
from portal.rights.tables_redaction import CopyLook, Redaction
from portal.rights.tables_reference import LetterAddition, ReasonHint, RecipientContact
from portal.rights.tables_scan import ScanReport
from portal.rights.tables_uses import StoppedUse, Suppression

APP_CONFIG = AppConfig(
    app_name="portal",
    migrations_folder_path=str(Path(__file__).parent / "piccolo_migrations"),
    table_classes=[
        Evidence, Subject, KnownIdentifier, OutsideIdentity, SignInAttempt, OutsideAttempt, Session,
        Mail, MailBody, MailEvent, SubjectRequest, ExportPart, Parcel, TimelineEntry,
        RequestMessage, Plan, PlanItem, Task, HeldItem, Restriction,
        SealKey, Sealed, KnownTombstone, Receipt, ReceiptKey,
        StoppedUse, Suppression, ScanReport,
        CopyLook, Redaction,
        IntakeForm, Upload, Heartbeat, Reminder, FailureEnd,
        Correction, AddressChange, RequestNote, Approval, RequestLook,
        LetterAddition, ReasonHint, RecipientContact,
        RequestTally, TallyMark,
    ],
)  # fmt: skip
