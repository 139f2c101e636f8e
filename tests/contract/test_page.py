"""What the page says of the service is so."""

from serving.api.images import FORMATS_TEXT
from tests.project import ROOT


def test_the_page_names_the_kinds_of_files_that_are_read() -> None:
    assert FORMATS_TEXT in (ROOT / "web/js/service/problems.js").read_text()
