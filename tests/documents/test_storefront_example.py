"""examples/storefront.py and storefront.ts do what they say, against the real server."""

import importlib.util
import shutil
import subprocess
import sys

import jwt
import pytest

from tests.support.demo import demo_shop
from tests.support.server import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.any_database]

SCRIPT = ROOT / "examples" / "storefront.py"
NODE = shutil.which("node")
TSC = ROOT / "tools" / "typescript" / "node_modules" / "typescript" / "bin" / "tsc"  # which `make types` installs

VISIT = """\
A guest searches, and the storefront keeps the guest's cart.
    Withdrawn, 10.00
    Sold Out, 10.00
    Nearly Sold Out, 10.00
    The Price of Paper, 10.00
    5 x Withdrawn  50.00
    5 x Sold Out  50.00
    5 x Nearly Sold Out  50.00
    15 copies, 150.00 USD: ready for checkout
The guest registers, signs in, and finds the books there.
    5 x Withdrawn  50.00
    5 x Sold Out  50.00
    5 x Nearly Sold Out  50.00
    15 copies, 150.00 USD: ready for checkout
An add whose answer is lost is repeated; the refusal names the line, and nothing is there twice.
    3 x The Price of Paper
    5 x Withdrawn  50.00
    5 x Sold Out  50.00
    5 x Nearly Sold Out  50.00
    3 x The Price of Paper  30.00
    18 copies, 180.00 USD: ready for checkout
Polling costs a 304 until something changes.
    changed: False
    changed: True
    5 x Withdrawn  50.00  (BOOK_UNAVAILABLE)
    5 x Sold Out  50.00  (BOOK_OUT_OF_STOCK)
    5 x Nearly Sold Out  50.00  (INSUFFICIENT_STOCK)
    3 x The Price of Paper  37.50  (PRICE_CHANGED)
    18 copies, 187.50 USD: not ready for checkout
Each issue is told and settled.
    Withdrawn is no longer sold: removed.
    Sold Out is sold out: removed.
    Nearly Sold Out: you asked for 5, 2 left: lowered.
    The Price of Paper was 10.00 and is 12.50 now: confirmed.
    2 x Nearly Sold Out  20.00
    3 x The Price of Paper  37.50
    5 copies, 57.50 USD: ready for checkout
The telephone changes the cart that the laptop shows: 412, and the laptop decides again.
    one more than 3 and then than 7
    2 x Nearly Sold Out  20.00
    8 x The Price of Paper  100.00
    10 copies, 120.00 USD: ready for checkout
An access token ends; it is refreshed, and the customer does not notice.
    2 x Nearly Sold Out  20.00
    8 x The Price of Paper  100.00
    10 copies, 120.00 USD: ready for checkout
    a new token
"""


@pytest.fixture(scope="module")
def shop(django_db_setup, django_db_blocker, tmp_path_factory):
    with django_db_blocker.unblock(), demo_shop(tmp_path_factory.mktemp("shop")) as shop:
        yield shop


@pytest.mark.skipif(
    not (NODE and TSC.exists()), reason="no Node.js, or TypeScript is not installed: make types installs it"
)
def test_example_in_typescript_works_where_answers_are_lost(shop, tmp_path):
    program = ROOT / "tools" / "typescript" / "example.ts"
    options = ("--noCheck", "--target", "ES2022", "--module", "CommonJS", "--rootDir", ROOT, "--outDir", tmp_path)
    subprocess.run([NODE, TSC, *options, program], check=True, timeout=60)

    played = subprocess.run(
        [NODE, tmp_path / "tools" / "typescript" / "example.js", shop.url], capture_output=True, text=True, timeout=60
    )

    assert (played.stdout, played.stderr) == ("The example works against a running shop.\n", "")


@pytest.fixture
def storefront():
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("storefront", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["storefront"] = module  # its dataclass looks there
    spec.loader.exec_module(module)
    yield module
    del sys.modules["storefront"]


def visit(*arguments):
    return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True, timeout=60)


def test_example_plays_the_whole_visit_twice_and_leaves_no_book(shop, storefront):
    visits = [visit(shop.url) for _ in range(2)]

    assert [(done.stdout, done.stderr, done.returncode) for done in visits] == [(VISIT, "", 0)] * 2
    assert storefront.Storefront(storefront.Api(shop.url)).search("Storefront Example") == []


def test_example_says_in_one_line_who_does_not_answer():
    done = visit("http://127.0.0.1:1")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("http://127.0.0.1:1 does not answer (")
    assert done.stderr.endswith("): is it served? `make run` does.\n")


def test_example_says_in_one_line_what_was_refused(shop):
    done = visit(shop.url, "--staff-password", "wrong")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"{shop.url} refused (401 AUTH_INVALID_CREDENTIALS): Invalid email or password\n"


def test_example_refreshes_an_expired_token_exactly_once_and_no_other(shop, storefront, settings):
    calls = []

    def noted(request):
        answer = storefront.send(request)
        calls.append((request.get_method(), request.selector, answer.status))
        return answer

    api = storefront.Api(shop.url, noted)
    front = storefront.Storefront(api)
    front.register("alice@example.com", "correct horse battery")
    claims = jwt.decode(api.tokens["access_token"], options={"verify_signature": False})
    expired = jwt.encode(claims | {"exp": claims["iat"] - 1}, settings.SIMPLE_JWT["SIGNING_KEY"], "HS256")
    api.tokens["access_token"] = expired

    front.cart()
    front.cart()

    assert calls == [
        ("POST", "/auth/register", 201),
        ("GET", "/cart", 401),
        ("POST", "/auth/refresh", 200),
        ("GET", "/cart", 200),
        ("GET", "/cart", 304),
    ]


def test_example_does_not_refresh_for_ever_when_the_session_is_over(shop, storefront):
    api = storefront.Api(shop.url)
    front = storefront.Storefront(api)
    front.register("bob@example.com", "correct horse battery")
    api.call("POST", "/auth/logout", {"refresh_token": api.tokens["refresh_token"]})

    with pytest.raises(storefront.Refused) as caught:
        front.cart()

    assert (caught.value.status, caught.value.code) == (401, "AUTH_SESSION_OVER")


def test_example_knows_every_issue_of_the_schema(storefront):
    from bookstore.api.schema import ShopSchema

    components = ShopSchema().get_schema(request=None, public=True)["components"]["schemas"]
    codes = components["Issue"]["discriminator"]["mapping"]

    for code in codes:
        issue = {"code": code, "available": 3, "from": "9.90", "to": "8.90"}
        line = {"id": 7, "quantity": 5, "issues": [issue], "book": {"title": "Emma"}}
        assert storefront.settle({"items": [line]})[0] == 7
        assert code not in storefront.explain(line, issue)
