"""The Content-Security-Policy of every page, and that no page of ours needs more: asked of a browser."""

import os
import subprocess
import sys

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from bookstore.accounts.tests.factories import PASSWORD, UserFactory
from cart.tests.factories import CartItemFactory
from catalog.tests.factories import BookFactory
from orders.tests.factories import OrderItemFactory
from tests.support.browser import needs_chromium, new_page
from tests.support.installed import KEYS
from tests.support.server import ROOT, settings_for

POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "font-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data: https: http:",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
}
MOST_PAGES = 80
NO_PAGES = ("logout", "export", "template")  # links to files
WATCH = """
window.violations = [];
addEventListener("securitypolicyviolation", (event) => {
  const said = `${location.pathname}: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`;
  sessionStorage.violations = (sessionStorage.violations || "") + said + "\\n";
});
"""


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/docs", "/docs?script=", "/admin/login/", "/static/admin/css/base.css"])
def test_a_page_allows_only_files_of_this_host(client, path):
    response = client.get(path)
    response.close()

    assert set(response.headers["Content-Security-Policy"].split("; ")) == POLICY


def test_an_answer_of_the_api_has_no_policy_of_pages(client):
    assert "Content-Security-Policy" not in client.get("/health").headers


@pytest.mark.slow
def test_the_documentation_can_be_closed():
    code = (
        "import django; django.setup(); from django.urls import resolve, Resolver404\n"
        "for path in ('/docs', '/schema', '/', '/health'):\n"
        "    try: print(path, resolve(path).url_name)\n"
        "    except Resolver404: print(path, 'closed')"
    )
    production = KEYS | {"DEBUG": "0", "DJANGO_SETTINGS_MODULE": "bookstore.settings"}
    environment = os.environ | production | settings_for("sqlite:////nowhere.sqlite3") | {"API_DOCS": "0"}

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)

    assert done.stdout.splitlines() == ["/docs closed", "/schema closed", "/ closed", "/health health"], done.stderr


def violations(page) -> str:
    return page.evaluate("sessionStorage.violations || ''")


@pytest.fixture
def rows(transactional_db):
    """Made before the browser starts: its event loop keeps this thread from the database."""
    UserFactory(email="olga@example.com", password=PASSWORD, is_staff=True, is_superuser=True)
    CartItemFactory()
    OrderItemFactory(book=BookFactory(title="Emma"))


@pytest.fixture
def page(rows, live_server):
    """Of a browser that notes what a policy forbids."""
    with new_page(live_server.url) as page:
        page.add_init_script(WATCH)
        yield page


@pytest.mark.slow
@pytest.mark.any_database
@needs_chromium
@pytest.mark.django_db(transaction=True)
def test_the_documentation_works_under_its_policy(page):
    page.goto("/docs")
    page.locator(".opblock-summary-control").first.click()
    page.locator(".opblock-body").first.wait_for()

    assert violations(page) == ""
    expect(page.locator(".opblock").nth(20)).to_be_attached()


@pytest.mark.slow
@pytest.mark.any_database
@needs_chromium
@pytest.mark.django_db(transaction=True)
def test_the_staffs_pages_work_under_their_policy(page):
    """Every page that a superuser is led to from the overview, by a link."""
    login = reverse("admin:login")
    page.goto(login)
    page.locator("[name=username]").fill("olga@example.com")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[type=submit]").click()
    page.locator("#site-name").wait_for()

    seen, ahead = {login}, ["/admin/"]
    while ahead and len(seen) < MOST_PAGES:
        path = ahead.pop(0)
        if path in seen or any(word in path for word in NO_PAGES):
            continue
        seen.add(path)
        page.goto(path)
        links = page.eval_on_selector_all("a[href]", "links => links.map(link => link.pathname)")
        ahead += sorted({link for link in links if link.startswith("/admin/")} - seen)

    assert violations(page) == ""
    assert len(seen) > 15
