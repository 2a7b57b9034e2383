"""The staff's tables, for Piccolo's migrations."""

from pathlib import Path

from piccolo.conf.apps import AppConfig

from admin.tables import StaffLink, StaffSession, StaffUser
from admin.tables_reminders import StaffChoice

APP_CONFIG = AppConfig(
    app_name="admin",
    migrations_folder_path=str(Path(__file__).parent / "piccolo_migrations"),
    table_classes=[StaffUser, StaffLink, StaffSession, StaffChoice],
)
