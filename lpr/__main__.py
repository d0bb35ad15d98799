"""``python -m lpr``: the same as the command ``lpr``."""

from lpr.cli.main import entry

if __name__ == "__main__":
    entry()
