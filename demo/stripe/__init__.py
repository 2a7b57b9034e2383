"""A stand-in for Stripe that remembers, and refuses what Stripe would refuse.

Always true here: requests and objects are held to the types of the installed SDK, which are made from Stripe's own
description of its API; a field that the SDK does not know cannot get in.
"""

from demo.stripe.api import Fault, StandIn
from demo.stripe.serve import serving

__all__ = ["Fault", "StandIn", "serving"]
