"""Agreement between the page and the service."""

from serving.api.images import FORMATS_TEXT
from tests.project import ROOT


def test_the_page_names_the_formats_that_the_service_reads() -> None:
    assert FORMATS_TEXT in (ROOT / "web/js/service/problems.js").read_text()
