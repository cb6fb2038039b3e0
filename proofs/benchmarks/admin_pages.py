"""Times every list page of the staff's site with a million carts, found by following the links of the pages."""

import re
import secrets
import sys
from collections.abc import Iterable, Sequence
from html.parser import HTMLParser
from statistics import median
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit

from proofs.benchmarks.database import Databases
from proofs.benchmarks.run import say
from proofs.benchmarks.servers import VARIANTS, running
from tests.support.client import Client

BOUND = 300  # milliseconds, of each page
EMAIL = "staff@example.com"
OVERVIEW = "/admin/"
SLOWEST = 3  # of each list, in the report
# Parameters that only change the order or the page.
SORT, PAGE, ALL = "o", "p", "all"

# Beside the carts of `load_carts`: one book in every third of them, one cart in twenty empty, books that are sold out,
# withdrawn, short or of another price; everybody signed in once; a year of one person's work in the history.
SHOP = """
INSERT INTO cart_items (cart_id, book_id, quantity, price_at_add)
SELECT id, 1, 1, 9.99 FROM carts WHERE id % 3 = 0 ON CONFLICT DO NOTHING;
DELETE FROM cart_items WHERE cart_id % 20 = 0;
INSERT INTO genres (name, name_folded) SELECT 'Bookshelf ' || n, 'bookshelf ' || n FROM generate_series(1, 24) n;
UPDATE books SET
  genre_id = (SELECT min(id) FROM genres WHERE name LIKE 'Bookshelf %') + id % 24,
  price = CASE WHEN id % 3 = 0 THEN price ELSE 9.99 END,
  stock_quantity = CASE WHEN id % 50 = 0 THEN 0 WHEN id % 20 = 1 THEN 1 ELSE stock_quantity END,
  is_active = id % 97 > 0;
INSERT INTO login_sessions (user_id, refresh_jti, credential, created_at, expires_at, ended_at)
SELECT id, md5(id::text), left(md5(id::text), 22), now() - id % 100 * interval '2 hours',
  now() + (id % 100 - 20) * interval '2 hours',
  CASE WHEN id % 9 = 0 THEN now() END
FROM users;
INSERT INTO django_admin_log
  (action_time, object_id, object_repr, action_flag, change_message, content_type_id, user_id)
SELECT now() - n * interval '5 minutes', n, 'Cart of customer' || n || '@example.com', 2, '',
  (SELECT id FROM django_content_type WHERE app_label = 'cart' AND model = 'cart'),
  (SELECT max(id) FROM users WHERE is_superuser)
FROM generate_series(1, 100000) n;
VACUUM ANALYZE"""

# Texts typed into the search box, beside the links.
SEARCHES = {
    "/admin/cart/cart/": [
        "customer777@example.com",
        "customer77",
        "c",
        "north",
        "the",
        "a",
        "volume 1",
        "customer77 north",
        "the customer777@example.com",
        "nobody@example.com",
        "9780141439518",
    ],
    "/admin/catalog/book/": ["north", "the", "a", "q", "north sea", "nothing like it", "9780141439518"],
    "/admin/catalog/genre/": ["shelf", "f 2"],
    "/admin/accounts/user/": ["customer777@example.com", "customer", "nobody@example.com"],
    "/admin/accounts/loginsession/": ["customer777@example.com", "customer", "nobody@example.com"],
    "/admin/auth/group/": ["c"],
}


class Staff:
    """A browser signed in to the admin: one connection, and cookies."""

    def __init__(self, port: int, password: str) -> None:
        self.client = Client(port, timeout=60)
        self.cookies: dict[str, str] = {}
        self.ask("GET", "/admin/login/")
        form = {"username": EMAIL, "password": password, "csrfmiddlewaretoken": self.cookies["csrftoken"]}
        self.ask("POST", "/admin/login/?next=/admin/password_change/", urlencode(form), expected=302)

    def ask(self, method: str, path: str, body: str | None = None, expected: int = 200) -> tuple[str, float]:
        """The page, and the milliseconds until it was complete."""
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        answer = self.client(method, path, body, **headers)
        text = answer.content.decode()
        if answer.status != expected:
            sys.exit(f"error: {method} {path} answered {answer.status}, not {expected}: {text[:300]!r}")
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return text, answer.seconds * 1000


class Links(HTMLParser):
    """Collects the links of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        href = dict(attrs).get("href")
        if tag == "a" and href:
            self.found.append(href)


def address(path: str) -> str:
    """One spelling for each page: its parameters in order, without those that are empty."""
    parts = urlsplit(path)
    parameters = sorted(pair for pair in parse_qsl(parts.query) if pair[0] != "_facets")
    return f"{parts.path}?{urlencode(parameters)}" if parameters else parts.path


def lists_on(page: str) -> list[str]:
    """The list pages that the first page leads to."""
    return sorted({href for href in Links(page).found if re.fullmatch(r"/admin/\w+/\w+/", href)})


def views_on(page: str, path: str) -> list[str]:
    """The pages of a list that are one click away: other filters, orders and pages."""
    there = (address(urljoin(path, href)) for href in Links(page).found)
    return sorted({each for each in there if urlsplit(each).path == urlsplit(path).path} - {address(path)})


def visit(staff: Staff, paths: Iterable[str], took: dict[str, list[float]]) -> dict[str, str]:
    """Times pages."""
    pages = {}
    for path in paths:
        pages[path], milliseconds = staff.ask("GET", path)
        took.setdefault(path, []).append(milliseconds)
    return pages


def crawl(staff: Staff, path: str) -> dict[str, list[float]]:
    """Times a list: all pages one click away, two filters at once, and each search, alone and with each filter."""
    took: dict[str, list[float]] = {}
    searches = [address(f"{path}?q={quote(text)}") for text in SEARCHES.get(path, [])]
    [(_, whole)] = visit(staff, [path], took).items()
    clicked = visit(staff, views_on(whole, path), took) | visit(staff, searches, took)
    leads = {view for each, page in clicked.items() if filters(each) for view in views_on(page, each) if filters(view)}
    visit(staff, sorted(leads - set(took)), took)
    return took


def filters(path: str) -> bool:
    """Whether an address says which rows are shown, and not only in what order or from where on."""
    return not {SORT, PAGE, ALL} & {name for name, _ in parse_qsl(urlsplit(path).query)}


def make_staff(databases: Databases, name: str) -> str:
    """A superuser; the password."""
    password = secrets.token_urlsafe(20)
    environ = {"DJANGO_SUPERUSER_EMAIL": EMAIL, "DJANGO_SUPERUSER_PASSWORD": password}
    databases.python(name, "manage.py", "createsuperuser", "--noinput", "--verbosity", "0", environ=environ)
    return password


def load_shop(databases: Databases, name: str) -> None:
    """Loads more rows for the admin, beside the carts. Call it after `make_staff`, whose history it writes."""
    for statement in SHOP.split(";"):
        databases.execute(statement, name)


def measure(databases: Databases, name: str, password: str, rounds: int, only: Sequence[str] = ()) -> list[str]:
    """Times each page once in each round. Each round starts a new server, so that caches are empty."""
    took: dict[str, list[float]] = {}
    for number in range(rounds):
        with running(VARIANTS[0], databases.environ(name), token="", workers=1, ready="/ready") as server:
            staff = Staff(server.port, password)
            # The first page after the start, which loads templates and imports what it needs, is not the one measured.
            staff.ask("GET", "/admin/password_change/")
            first = visit(staff, [OVERVIEW], took)[OVERVIEW]
            if number == 0:
                for path in only or lists_on(first):
                    took |= crawl(staff, path)
                    say(f"{path}: {sum(each.startswith(path) for each in took)} pages")
            else:
                visit(staff, [path for path in took if path != OVERVIEW], took)
    return table(took)


def table(took: dict[str, list[float]]) -> list[str]:
    """A row for the overview and each list, and below the slowest pages of each."""
    typical = {path: median(each) for path, each in took.items()}
    lists: dict[str, list[str]] = {}
    for path in sorted(typical, key=typical.__getitem__, reverse=True):
        lists.setdefault(urlsplit(path).path, []).append(path)
    lines = [
        "| list | pages | ms, of the typical page | of the slowest | which is | slowest answer of all |",
        "|---|---|---|---|---|---|",
    ]
    for path, pages in sorted(lists.items()):
        middle = median(typical[each] for each in pages)
        slowest = max(max(took[each]) for each in pages)
        lines.append(
            f"| {path} | {len(pages)} | {middle:.0f} | {typical[pages[0]]:.0f} | {shown(pages[0])} | {slowest:.0f} |"
        )
    # Not the overview, which is counted anew once a minute and no list.
    listed = [path for path in typical if path != OVERVIEW]
    over = [path for path in listed if typical[path] > BOUND]
    lines += ["", f"{len(listed) - len(over)} of {len(listed)} list pages take at most {BOUND} ms."]
    for path in over:
        lines.append(f"- {path}: {typical[path]:.0f} ms")
    for pages in lists.values():
        for each in pages[:SLOWEST]:
            say(f"{typical[each]:6.0f} ms  {each}")
    return lines


def shown(path: str) -> str:
    return f"`?{urlsplit(path).query}`" if "?" in path else "the first"
