"""Machines' accounts."""

from __future__ import annotations

from lpr.core.accounts import Account, Accounts, allows


def test_levels_include_the_lower_ones() -> None:
    assert allows("administrator", "user") and allows("operator", "operator")
    assert not allows("user", "operator")


def test_only_the_right_password_of_a_known_account_gives_its_level() -> None:
    accounts = Accounts([Account("nvr", "operator", "correct horse")])
    assert accounts.check("nvr", "correct horse") == "operator"
    assert accounts.check("nvr", "") is None
    assert accounts.check("nobody", "") is None
    assert accounts.password_of("nobody") is None
    assert [account.name for account in accounts] == ["nvr"]


def test_a_password_is_not_shown() -> None:
    assert "correct horse" not in repr(Account("nvr", "user", "correct horse"))
