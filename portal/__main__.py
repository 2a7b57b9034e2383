"""`python -m portal` is the same as `habeas`."""

import sys

from portal.cli import main

sys.exit(main())
