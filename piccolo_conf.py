"""Piccolo's entry point: where the database is and which tables belong to us."""

import os

from piccolo.conf.apps import AppRegistry

from portal.database import Engine
from portal.settings import database_dsn

DB = Engine(database_dsn(os.environ))
APP_REGISTRY = AppRegistry(apps=["portal.piccolo_app", "admin.piccolo_app"])
