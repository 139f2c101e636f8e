"""What the page does where there is no answer: it says why, shows what was given, and asks again."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.digits import DIGITS
from tests.e2e.hand import draw, png_of
from tests.e2e.states import LOAD_ERROR
from tests.e2e.test_page import QUIET_MS, expect_digit


def test_a_file_that_cannot_be_read_lies_on_the_sheet_by_name_and_undo_brings_the_drawing_back(
    page: Page, expected_errors: list[str]
) -> None:
    expected_errors.append(LOAD_ERROR)
    draw(page, DIGITS[5])
    expect_digit(page, 5)
    page.locator("#file").set_input_files({"name": "7.png", "mimeType": "image/png", "buffer": png_of(DIGITS[7])})
    expect_digit(page, 7)
    page.locator("#file").set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": b"seven"})
    expect(page.locator("#detail")).to_contain_text("This file is no image that can be read.")
    expect(page.locator("#unshown")).to_have_text("a.png")
    expect(page.locator("#picture")).to_be_hidden()
    expect(page.locator("#ask-again")).to_be_hidden()
    page.keyboard.press("Control+z")
    expect_digit(page, 5)
    expect(page.locator("#unshown")).to_be_hidden()


def test_a_service_that_is_back_reads_the_last_ink(page: Page, expected_errors: list[str]) -> None:
    expected_errors.append(LOAD_ERROR)
    page.route("**/api/*", lambda route: route.abort())
    page.reload()
    expect(page.locator("#model-text")).to_have_text("The service cannot be reached.")
    draw(page, DIGITS[0])
    expect(page.locator("#answer")).to_have_attribute("data-state", "error")
    expect(page.locator("#detail")).to_have_text("The service cannot be reached. It is asked again by itself.")
    page.unroute("**/api/*")
    page.get_by_role("button", name="Retry").click()
    expect(page.locator("#model")).to_have_attribute("data-state", "ready")
    expect(page.get_by_role("button", name="Retry")).to_be_hidden()
    expect_digit(page, 0)


def test_a_lost_answer_is_asked_for_again_when_the_service_has_its_card(page: Page, expected_errors: list[str]) -> None:
    expected_errors.append(LOAD_ERROR)
    page.route("**/api/predict*", lambda route: route.abort())
    draw(page, DIGITS[4])
    expect(page.locator("#banner")).to_be_visible()
    page.unroute("**/api/predict*")
    expect_digit(page, 4)
    expect(page.locator("#banner")).to_be_hidden()


def test_a_busy_service_is_asked_again_by_itself_and_a_fault_by_hand(page: Page, expected_errors: list[str]) -> None:
    expected_errors.append(LOAD_ERROR)
    busy = {"status": 503, "headers": {"Retry-After": "1"}, "json": {"error": "Send it again in a second."}}
    page.route("**/api/predict*", lambda route: route.fulfill(**busy), times=1)
    draw(page, [[(0.5, 0.5)]])
    expect(page.locator("#detail")).to_have_text("The service cannot answer just now. It is asked again by itself.")
    expect(page.locator("#ask-again")).to_be_hidden()
    page.keyboard.press("Escape")
    page.route("**/api/predict*", lambda route: route.fulfill(**busy), times=1)
    draw(page, DIGITS[1])
    expect_digit(page, 1)

    page.route("**/api/predict*", lambda route: route.fulfill(status=500, json={"error": "A fault."}))
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+y")
    expect(page.locator("#detail")).to_have_text("The service has a fault.")
    page.unroute("**/api/predict*")
    page.get_by_role("button", name="Try again").click()
    expect_digit(page, 1)


@pytest.mark.slow
def test_asking_again_by_keyboard_is_told_and_leaves_the_focus_at_the_answer(
    page: Page, expected_errors: list[str]
) -> None:
    expected_errors.append(LOAD_ERROR)
    held: list[Route] = []
    page.route("**/api/predict*", lambda route: route.fulfill(status=500, json={"error": "A fault."}))
    draw(page, DIGITS[1])
    button = page.get_by_role("button", name="Try again")
    expect(button).to_be_visible()
    page.route("**/api/predict*", lambda route: held.append(route))
    button.press("Enter")
    expect(page.locator("#speech")).to_have_text("Asking again…")
    expect(page.locator("#headline")).to_have_text("Asking again…")
    expect(page.locator("#headline")).to_be_focused()
    held.pop().fulfill(status=500, json={"error": "A fault."})
    expect(page.locator("#speech")).to_have_text("No answer. The service has a fault.")


@pytest.mark.slow
def test_looking_for_the_model_by_keyboard_is_told(page: Page, expected_errors: list[str]) -> None:
    expected_errors.append(LOAD_ERROR)
    page.route("**/api/model", lambda route: route.abort())
    page.reload()
    button = page.get_by_role("button", name="Retry")
    button.press("Enter")
    expect(page.locator("#speech")).to_have_text("No model. The service cannot be reached.")
    expect(button).to_be_focused()
    page.unroute("**/api/model")
    button.press("Enter")
    expect(page.locator("#speech")).to_contain_text("Model active. ")
    expect(page.locator("#headline")).to_be_focused()


@pytest.mark.slow
def test_what_fails_again_when_the_service_is_back_is_not_asked_for_ever(
    page: Page, expected_errors: list[str]
) -> None:
    expected_errors.append(LOAD_ERROR)
    asked: list[Route] = []

    def refuse(route: Route) -> None:
        asked.append(route)
        route.abort()

    page.route("**/api/predict*", refuse)
    page.locator("#file").set_input_files({"name": "7.png", "mimeType": "image/png", "buffer": png_of(DIGITS[7])})
    expect(page.locator("#detail")).to_have_text("The service cannot be reached. It is asked again by itself.")
    expect(page.locator("#detail")).to_have_text("The image did not get through. A smaller copy of it may.")
    expect(page.locator("#banner")).to_be_hidden()
    page.wait_for_timeout(QUIET_MS)
    assert len(asked) == 2
    page.unroute("**/api/predict*")
    page.get_by_role("button", name="Try again").click()
    expect_digit(page, 7)


def test_a_file_that_is_gone_is_not_taken_for_a_lost_service(
    page: Page, expected_errors: list[str], tmp_path: Path
) -> None:
    expected_errors.append(LOAD_ERROR)
    file = tmp_path / "7.png"
    file.write_bytes(png_of(DIGITS[7]))
    page.route("**/api/predict*", lambda route: route.fulfill(status=500, json={"error": "A fault."}))
    page.locator("#file").set_input_files(file)
    expect(page.locator("#detail")).to_have_text("The service has a fault.")
    file.unlink()
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#detail")).to_contain_text("Choose it again.")
    expect(page.locator("#banner")).to_be_hidden()
    expect(page.locator("#ask-again")).to_be_hidden()
