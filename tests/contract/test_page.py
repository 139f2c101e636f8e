"""The page agrees with the service and with the documents."""

import html
import re

from serving.api.images import FORMATS_TEXT
from tests.project import ROOT
from tests.web import types


def test_the_page_names_the_formats_that_the_service_reads():
    assert FORMATS_TEXT in (ROOT / "web/js/service/problems.js").read_text()


def test_the_types_of_the_page_are_those_of_the_service():
    assert types.FILE.read_text() == types.types(), "run python -m tests.web.types"


def test_the_documents_have_each_command_of_the_page():
    codes = re.findall(r'<code id="command-\d+">(.*?)</code>', (ROOT / "web/index.html").read_text(), re.DOTALL)
    commands = html.unescape(re.sub(r"<[^>]*>", "", "\n".join(codes))).splitlines()
    documents = [line for name in ("README.md", "docs/guide.md") for line in (ROOT / name).read_text().splitlines()]
    assert len(commands) == 5
    assert set(commands) <= set(documents)
