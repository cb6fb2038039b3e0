"""A read right after an acknowledged write sees it, on any worker."""

from functools import partial

from proofs.stress.crowd import Crowd
from proofs.stress.stage import Stage
from proofs.stress.workers import UNKNOWN, Workers
from tests.support.client import PatientClient

CLIENTS = 8
PAIRS_OF_A_CONNECTION = 5
APART = 0.5  # of the pairs must be written and read by different workers; of four, three quarters are


def reads(stage: Stage) -> None:
    """A line is changed and the cart read, on two connections, of which one is a new one every few pairs."""
    per_client = stage.options.rounds * 10 // CLIENTS
    books = stage.books(2, stock=1)

    with stage.server() as server:

        def shop(token: str, wire: PatientClient) -> tuple[int, int, int]:
            """Pairs that missed, that were of different workers, and of workers that nobody could name."""
            missed = apart = unknown = 0
            other, workers = PatientClient(wire.port), Workers(server)
            line = wire("POST", "/cart/items", {"book_id": books[0].pk}, token).body["id"]
            for number in range(per_client):
                quantity = number % 999 + 1
                if number % PAIRS_OF_A_CONNECTION == 0:
                    other.close()
                put = wire("PUT", f"/cart/items/{line}", {"quantity": quantity}, token)
                seen = other("GET", "/cart", None, token)
                missed += put.status != 200 or seen.status != 200 or seen.body["items"][0]["quantity"] != quantity
                two = {workers.of(wire), workers.of(other)}
                unknown += UNKNOWN in two
                apart += len(two) == 2
            other.close()
            return missed, apart, unknown

        crowd = Crowd(server.port, CLIENTS)
        found = crowd.together([partial(shop, token) for _, token in stage.customers(CLIENTS)])
        crowd.close()
    missed, apart, unknown = map(sum, zip(*found, strict=True))
    pairs = per_client * CLIENTS
    stage.report("read after write", f"{pairs} pairs, {missed} missed", missed == 0 and pairs > 0)
    if unknown:
        print("       not known: which worker wrote and which read, because there is neither /proc nor lsof here")
    else:
        figures = f"{apart} of {pairs} pairs were written and read by different ones"
        stage.report("reads: workers that answered", figures, apart >= pairs * APART)
