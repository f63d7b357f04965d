"""Reports and statements for people and programs: text, JSON, CSV and HTML that needs no network.

Whatever an attacker can write into an item comes out as text in all of them.
"""

from opskit.present.books_data import books_csv, books_json
from opskit.present.books_html import books_page
from opskit.present.books_text import books_text
from opskit.present.csv import findings_csv, statement_csv
from opskit.present.frames import ReportFrames, report_frames
from opskit.present.html import report_fragment, report_html, statement_html, statement_page
from opskit.present.json import json_text, report_json, statement_json
from opskit.present.junit import report_junit
from opskit.present.statement_text import statement_text
from opskit.present.text import report_text

__all__ = [
    "ReportFrames",
    "books_csv",
    "books_json",
    "books_page",
    "books_text",
    "findings_csv",
    "json_text",
    "report_fragment",
    "report_frames",
    "report_html",
    "report_json",
    "report_junit",
    "report_text",
    "statement_csv",
    "statement_html",
    "statement_json",
    "statement_page",
    "statement_text",
]
