"""The staff's tables, for Piccolo's migrations."""

from pathlib import Path

from piccolo.conf.apps import AppConfig

from admin.tables import StaffSession, StaffUser
from admin.tables_factors import StaffChallenge, StaffIdentity, StaffInvitation, StaffPasskey, StaffRecoveryCode
from admin.tables_reminders import StaffChoice

APP_CONFIG = AppConfig(
    app_name="admin",
    migrations_folder_path=str(Path(__file__).parent / "piccolo_migrations"),
    table_classes=[
        StaffUser, StaffSession, StaffChoice,
        StaffInvitation, StaffPasskey, StaffChallenge, StaffRecoveryCode, StaffIdentity,
    ],
)  # fmt: skip
