"""The escapes of `ses_audit.escape`, where reports look for them."""

from ses_audit.escape import csv_cell, file_name, html, terminal

__all__ = ["csv_cell", "file_name", "html", "terminal"]
