"""Two sample platforms: somebody else's databases, with their own ideas of a schema and a crowd of synthetic people.

Always true here: nobody in them exists, every address ends in `.example`, and the same seed makes the same crowd.
"""

from demo.platforms.caaartoons import CAAARTOONS
from demo.platforms.casagbic import CASAGBIC
from demo.platforms.crowd import Person, Purchase, StoredObject
from demo.platforms.platform import Platform, World, create_reader

PLATFORMS = {platform.id: platform for platform in (CASAGBIC, CAAARTOONS)}

__all__ = ["PLATFORMS", "Person", "Platform", "Purchase", "StoredObject", "World", "create_reader"]
