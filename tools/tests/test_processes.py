"""Free ports for servers of tests, proofs and benchmarks."""

from tools.processes import free_port


def test_no_port_is_given_again_soon():
    # Of some 14,000 (Linux prefers odd ones): without memory a few of these are the same as one of the hundred before.
    given = [free_port() for _ in range(2000)]

    assert [port for number, port in enumerate(given) if port in given[max(0, number - 100) : number]] == []
