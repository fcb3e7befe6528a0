"""`python -m converse_emulator`: the same as the command `converse-emulator`."""

import sys

from converse_emulator.cli import main

sys.exit(main())
