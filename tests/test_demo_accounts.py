from __future__ import annotations

from uuid import UUID

from tribe_ws.demo_accounts import DEMO_USERNAMES, demo_email, fixture_id


def test_a_demo_user_logs_in_by_an_address_of_the_test_domain():
    assert demo_email(DEMO_USERNAMES[0]) == "alice@tribe.test"


def test_an_alias_has_the_same_id_everywhere():
    assert fixture_id("user:alice") == "95d9e76d-d0ad-56b0-bc73-09e0018fc1e6"
    assert str(UUID(fixture_id("conversation:general"))) == fixture_id("conversation:general")
    assert fixture_id("user:alice") != fixture_id("user:bob")
