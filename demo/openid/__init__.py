"""A stand-in for Google and Microsoft as OpenID providers, for the demo and the tests.

with serving(people) as providers:
    providers.environment       # what Habeas has to be started with
    providers.at[Mode.GOOGLE].twist = Twist.WRONG_NONCE
"""

from demo.openid.pages import application
from demo.openid.provider import Mode, Person, Provider, Twist
from demo.openid.serve import StandIn, serving

__all__ = ["Mode", "Person", "Provider", "StandIn", "Twist", "application", "serving"]
