"""`python -m proofs.cluster test`: runs the events under load, and checks every acknowledged write."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from proofs.cluster import report
from proofs.cluster.building import Cluster
from proofs.cluster.buying import Buyer
from proofs.cluster.events import EVENTS, Event
from proofs.cluster.layout import READER
from proofs.cluster.report import Row, Window
from proofs.cluster.traffic import BOOKS_EACH, Client, Customer, Sample, SignIn, Visitor
from tests.support.client import PatientClient

CATALOGUE_AT_LEAST = 0.999
BUYERS = 2
# The tolerance of promised times on a loaded machine.
SETTLE_SECONDS = 30


def registered(wire: PatientClient, email: str) -> str:
    """The token of a new customer."""
    answer = wire("POST", "/auth/register", {"email": email, "password": "correct horse battery"})
    if answer.status != 201:
        raise RuntimeError(f"registering was answered {answer.status}: {answer.body}")
    return str(answer.body["access_token"])


@dataclass
class Run:
    cluster: Cluster
    customers: list[Customer] = field(default_factory=list)
    buyers: list[Buyer] = field(default_factory=list)
    others: list[Client] = field(default_factory=list)
    rows: dict[str, Row] = field(default_factory=dict)
    windows: list[Window] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    @property
    def clients(self) -> list[Client]:
        return [*self.customers, *self.buyers, *self.others]

    @property
    def samples(self) -> list[Sample]:
        return [sample for client in self.clients for sample in list(client.samples)]

    def people(self, count: int) -> None:
        """As many customers as visitors, BUYERS, and one who signs in."""
        layout = self.cluster.layout
        at = layout.addresses["edge"], layout.port("edge", "nginx")
        wire = PatientClient(at[1], host=at[0])
        items = wire("GET", "/books?in_stock=true&size=100").body["items"]
        books = [item["id"] for item in sorted(items, key=lambda item: int(item["stock_quantity"]))]
        tokens = [registered(wire, f"customer{number}@example.com") for number in range(count + BUYERS)]
        for number, token in enumerate(tokens[:count]):
            mine = books[number * BOOKS_EACH : (number + 1) * BOOKS_EACH]
            self.customers.append(Customer(number, *at, token, mine))
            self.others.append(Visitor(count + number, *at, books))
        for number, token in enumerate(tokens[count:], start=2 * count):
            self.buyers.append(Buyer(number, *at, token, books[-1 - len(self.buyers)]))
        self.others.append(SignIn(2 * count + BUYERS, *at, *READER))

    def steady(self, seconds: float) -> None:
        time.sleep(seconds)
        for client in self.clients:
            if client.error:
                raise RuntimeError(client.error)

    def happen(self, event: Event, time_before: int, seconds: float) -> None:
        """The event, and the traffic after it; its row gets what was seen from its begin to the end of that."""
        known = {customer: len(customer.faults) for customer in self.customers}
        begun = time.monotonic()
        failure = ""
        try:
            event.do(self.cluster, time_before)
        except Exception as error:
            failure = f"{event.name}: {type(error).__name__}: {error}"
            self.problems.append(failure)
        self.steady(seconds)
        window = Window(event.name, begun, time.monotonic())
        self.windows.append(window)
        row = self.rows.setdefault(event.name, Row(event.title))
        report.add_up(row, self.samples, window)
        faults = [fault for customer in self.customers for fault in customer.faults[known[customer] :]]
        row.lost += sum(fault.lost for fault in faults)
        row.differing += sum(not fault.lost for fault in faults)
        row.faults += [str(fault) for fault in faults]
        answered = f"{row.share_of_reads:.2%} of the catalogue's reads"
        print(
            f"  {window.ended - begun:5.1f} s  longest without a write {row.back[-1]:.1f} s, {answered}, "
            f"{row.lost} lost, {row.differing} differ{f'; {failure}' if failure else ''}",
            flush=True,
        )

    def settle(self) -> None:
        """Stops the traffic, reads every cart once more, and ends what the buyers had begun."""
        for client in self.clients:
            client.over.set()
        for client in self.clients:
            client.join(SETTLE_SECONDS)
        ends: list[tuple[Client, Callable[[], bool], str]] = [
            *((each, each.read, f"the cart of {each.name} could not be read at the end") for each in self.customers),
            *((each, each.finish, f"what {each.name} had begun could not be ended") for each in self.buyers),
        ]
        deadline = time.monotonic() + SETTLE_SECONDS
        for client, end, problem in ends:
            client.over.clear()
            while not end():
                if time.monotonic() > deadline:
                    self.problems.append(problem)
                    break

    def verdicts(self) -> list[tuple[str, str, bool]]:
        """What must hold, what was seen, and whether it did."""
        samples = self.samples
        ledgers = [customer.ledger for customer in self.customers]
        faults = [fault for customer in self.customers for fault in customer.faults]
        lost, acknowledged = sum(fault.lost for fault in faults), sum(ledger.acknowledged for ledger in ledgers)
        unknown, back = sum(ledger.unknown for ledger in ledgers), sum(ledger.taken_back for ledger in ledgers)
        wrong = [sample.fault for sample in samples if sample.fault]
        orders = [fault for buyer in self.buyers for fault in buyer.check()]
        ordered = sum(len(buyer.acknowledged) for buyer in self.buyers)
        reads = [sample.succeeded for sample in samples if sample.kind == "catalogue"]
        share = sum(reads) / len(reads) if reads else 0.0
        found = [
            (
                "0 acknowledged writes lost",
                f"{lost} of {acknowledged:,} ({unknown:,} of unknown fate, {back} of them seen and then not)",
                not lost and acknowledged > 0,
            ),
            ("0 carts that differ", f"{len(faults) - lost}", len(faults) == lost),
            (
                "every acknowledged order is there once, and the stock adds up",
                f"{len(orders)} faults in {ordered:,} orders{f'; first: {orders[0]}' if orders else ''}",
                not orders and ordered > 0,
            ),
            (
                "only success, the contract's 4xx, and 503",
                f"{len(wrong)} others of {len(samples):,} answers{f'; first: {wrong[0]}' if wrong else ''}",
                not wrong,
            ),
            (
                f"catalogue reads at least {CATALOGUE_AT_LEAST:.1%}",
                f"{share:.3%} of {len(reads):,}",
                share >= CATALOGUE_AT_LEAST,
            ),
        ]
        for name, row in self.rows.items():
            event = EVENTS[name]
            if event.back_within is not None:
                worst, bound = max(row.back), event.back_within
                found.append((f"{event.title}: writes back within {bound:g} s", f"{worst:.1f} s", worst <= bound))
            if event.no_failures:
                found.append((f"{event.title}: 0 failed requests", f"{row.failed}", not row.failed))
        found += [("every event was done and undone", problem, False) for problem in self.problems]
        return found


def run(cluster: Cluster, names: Sequence[str], *, times: int, seconds: float, clients: int, svg: Path) -> int:
    """The exit code: 1 when something that must hold does not."""
    proof = Run(cluster)
    proof.people(clients)
    for client in proof.clients:
        client.start()
    proof.steady(min(seconds, 3))
    try:
        for name in names:
            event = EVENTS[name]
            if event.needs_network and not cluster.ground.separate:
                proof.skipped.append(f"{event.title}: without network namespaces (root, iproute2, nftables)")
                continue
            for time_before in range(times):
                print(f"{event.title} ({time_before + 1} of {times})", flush=True)
                proof.happen(event, time_before, seconds)
    finally:
        proof.settle()
    print(f"\n{report.table(list(proof.rows.values()))}\n")
    show_over_time(proof)
    svg.parent.mkdir(parents=True, exist_ok=True)
    svg.write_text(report.chart(proof.samples, proof.windows, {name: EVENTS[name].title for name in names}))
    print(f"The chart is in {svg}.\n")
    for line in proof.skipped:
        print(f"skipped  {line}")
    verdicts = proof.verdicts()
    for must, seen, holds in verdicts:
        print(f"{'holds ' if holds else 'FAILED'}  {must}: {seen}")
    faults = list(dict.fromkeys(fault for row in proof.rows.values() for fault in row.faults))
    for fault in faults[:10]:
        print(f"        {fault}")
    return int(not all(holds for _, _, holds in verdicts))


def show_over_time(proof: Run) -> None:
    samples = proof.samples
    begun = min(sample.at for sample in samples)
    seconds = max(sample.at for sample in samples) - begun
    counted = list(report.buckets(samples, begun, seconds, max(1.0, seconds / 100)))
    for kind in ("reads", "writes", "failures"):
        print(f"{kind:>9} {report.sparkline([count[kind] for count in counted])}")
