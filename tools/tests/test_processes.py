"""Free ports for servers of tests, proofs and benchmarks."""

from tools.processes import free_port


def test_no_port_is_given_twice():
    given = [free_port() for _ in range(900)]  # of some 28,000: without memory two are the same nearly always

    assert len(set(given)) == 900
