"""See `run`."""

import sys

from benchmarks.workloads.run import main

sys.exit(main())
