"""`python -m heartline` is the command `heartline`."""

import sys

from heartline.cli import main

sys.exit(main())
