"""`python -m symdl` is the command line."""

import sys

from symdl.cli import main

sys.exit(main())
