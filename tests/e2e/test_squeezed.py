"""What most demos do, beside what the steps make: the whole canvas squeezed, and read by the same network."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.digits import DIGITS
from tests.e2e.hand import draw
from tests.e2e.test_explain import N_BYTES, NOTHING, QUIET_MS, in_a_corner, network_requests


def test_the_squeezed_canvas_is_read_only_where_it_is_asked_for(page: Page) -> None:
    requests = network_requests(page)
    draw(page, in_a_corner(DIGITS[5]))
    expect(page.locator("#glyph")).to_have_text("5")
    page.locator("#steps").scroll_into_view_if_needed()
    page.wait_for_timeout(QUIET_MS)
    assert requests == []
    page.get_by_role("switch", name="What most demos do").check()
    expect(page.locator("#ours-reading")).to_have_text(re.compile(r"^Read as 5 \(\d+\.\d\s%\)$"))
    # So small and so far off the middle it is no digit to the network, or another one.
    expect(page.locator("#squeezed-reading")).to_have_text(re.compile(r"^Read as (?!5 \()"))
    (request,) = requests
    assert len(request.post_data_buffer or b"") == N_BYTES
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#squeezed-reading")).to_have_text(NOTHING)


@pytest.mark.slow
def test_one_squeezed_canvas_at_a_time_and_the_newest_is_read(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 3000})
    page.get_by_role("switch", name="What most demos do").check()
    waiting: list[Route] = []
    page.route("**/api/network", lambda route: waiting.append(route))
    draw(page, DIGITS[4][:1])
    page.wait_for_timeout(QUIET_MS)
    draw(page, DIGITS[4][1:])
    expect(page.locator("#glyph")).to_have_text("4")
    page.wait_for_timeout(QUIET_MS)
    assert len(waiting) == 1
    waiting[0].continue_()
    page.wait_for_timeout(QUIET_MS)
    assert len(waiting) == 2
    waiting[1].continue_()
    expect(page.locator("#ours-reading")).to_have_text(re.compile("^Read as 4 "))
    page.wait_for_timeout(QUIET_MS)
    assert len(waiting) == 2
