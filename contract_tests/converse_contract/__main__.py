"""`python -m converse_contract` is `converse-contract`."""

import sys

from converse_contract.cli import main

sys.exit(main())
