"""The page without an answer: lost, busy and faulty services, and missing files."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.answers import FAULT, QUIET_MS, expect_digit, expect_ready, expect_state, hold
from tests.e2e.digits import DIGITS
from tests.e2e.hand import draw, png_of, upload

pytestmark = pytest.mark.usefixtures("load_errors")
SEVEN = png_of(DIGITS[7])


@pytest.mark.workflow
def test_retry_reads_the_last_ink(tab: Page) -> None:
    page = tab
    page.route("**/api/*", lambda route: route.abort())
    page.goto("/")
    expect(page.locator("#model-state")).to_have_text("Away")
    draw(page, DIGITS[0])
    expect_state(page, "error")
    expect(page.locator("#detail")).to_have_text("It is read when the service is back.")
    retry = page.get_by_role("button", name="Retry")
    retry.press("Enter")
    expect(page.locator("#speech")).to_have_text("The service cannot be reached.")
    expect(retry).to_be_focused()
    page.unroute("**/api/*")
    retry.press("Enter")
    expect_ready(page)
    expect(page.locator("#headline")).to_be_focused()
    expect(retry).to_be_hidden()
    expect_digit(page, 0)


@pytest.mark.workflow
def test_a_busy_service_is_asked_again_automatically_and_a_fault_by_hand(page: Page) -> None:
    detail = page.locator("#detail")
    busy = {"status": 503, "headers": {"Retry-After": "1"}, "json": {"error": "Send it again in a second."}}
    page.route("**/api/predict*", lambda route: route.fulfill(**busy), times=1)
    draw(page, [[(0.5, 0.5)]])
    expect(detail).to_have_text("The service cannot answer just now. Retrying automatically.")
    expect(page.locator("#ask-again")).to_be_hidden()
    expect(page.locator("#answer")).not_to_have_attribute("data-state", "error")

    page.route("**/api/predict*", lambda route: route.fulfill(**FAULT))
    page.keyboard.press("Escape")
    draw(page, DIGITS[1])
    expect(detail).to_have_text("The service has a fault.")
    held = hold(page)
    page.get_by_role("button", name="Try again").press("Enter")
    for place in ("#speech", "#headline"):
        expect(page.locator(place)).to_have_text("Asking again…")
    expect(page.locator("#headline")).to_be_focused()
    held.pop().fulfill(**FAULT)
    expect(page.locator("#speech")).to_have_text("No answer. The service has a fault.")
    page.unroute_all()
    page.get_by_role("button", name="Try again").click()
    expect_digit(page, 1)


@pytest.mark.slow
def test_an_image_that_fails_again_after_an_outage_is_not_repeated(page: Page) -> None:
    asked: list[Route] = []

    def refuse(route: Route) -> None:
        asked.append(route)
        route.abort()

    page.route("**/api/predict*", refuse)
    upload(page, SEVEN)
    expect(page.locator("#detail")).to_have_text("It is read when the service is back.")
    expect(page.locator("#detail")).to_have_text("The image did not get through. A smaller copy of it may.")
    expect(page.locator("#banner")).to_be_hidden()
    page.wait_for_timeout(QUIET_MS)
    assert len(asked) == 2
    page.unroute("**/api/predict*")
    page.get_by_role("button", name="Try again").click()
    expect_digit(page, 7)


@pytest.mark.slow
def test_a_deleted_file_is_not_reported_as_a_lost_service(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "7.png"
    file.write_bytes(SEVEN)
    page.route("**/api/predict*", lambda route: route.fulfill(**FAULT))
    page.locator("#file").set_input_files(file)
    expect(page.locator("#detail")).to_have_text("The service has a fault.")
    file.unlink()
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#detail")).to_contain_text("Choose it again.")
    expect(page.locator("#banner")).to_be_hidden()
    expect(page.locator("#ask-again")).to_be_hidden()
