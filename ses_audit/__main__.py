"""`python -m ses_audit` is `ses-audit`."""

from ses_audit.cli import main

main()
