"""``python -m anchord`` is the ``anchord`` command."""

from anchord.cli import main

main()
