"""How the statements of a request are counted."""

from proofs.benchmarks.statements import usual


def test_a_workers_own_statements_are_not_those_of_a_request():
    assert usual([["settings", "cart"], ["cart"], ["cart"]]) == ["cart"]


def test_a_request_that_was_answered_from_a_cache_is_not_the_usual_one():
    assert usual([["cart"], [], ["cart"]]) == ["cart"]
