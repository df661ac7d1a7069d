"""``python -m mtlref``: the command line."""

import sys

from mtlref.cli import main

if __name__ == "__main__":
    sys.exit(main())
