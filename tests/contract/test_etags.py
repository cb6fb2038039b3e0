"""If-Match and If-None-Match as changed by proxies: docs/decisions/0019-weak-etags.md."""

import pytest
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from bookstore.api.etags import etag, if_match, if_none_match


def asked(**headers):
    return Request(APIRequestFactory().get("/cart", headers={n.replace("_", "-"): v for n, v in headers.items()}))


SAME = ['"abc"', 'W/"abc"', '"abc-gzip"', '"abc--gzip"', 'W/"abc-br"', '"x", W/"abc"', '"abc-zstd"']
OTHER = ['"abd"', 'W/"ab"', "abc", '"abc-gzip-gzip"', '"abc-x"', "", '"']


@pytest.mark.parametrize("sent", SAME)
def test_tag_that_a_compressor_marked_names_the_same_version(sent):
    assert "abc" in if_match(asked(if_match=sent))
    assert if_none_match(asked(if_none_match=sent), "abc")


@pytest.mark.parametrize("sent", OTHER)
def test_other_tag_names_another_version(sent):
    assert "abc" not in if_match(asked(if_match=sent))
    assert not if_none_match(asked(if_none_match=sent), "abc")


def test_star_is_any_version_and_no_header_asks_for_none():
    assert (if_match(asked(if_match="*")), if_match(asked())) == (None, None)
    assert if_none_match(asked(if_none_match="*"), "abc")
    assert not if_none_match(asked(), "abc")


def test_etag_is_the_version_in_quotation_marks():
    assert etag("abc") == '"abc"'
