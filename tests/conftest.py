"""Fixtures for every kind of test. Each is made when the first test asks for it."""

pytest_plugins = [
    "tests.support.rights",
    "tests.support.stack",
    "tests.support.portal",
    "tests.support.tables",
    "tests.support.order",
    "tests.support.house",
    "tests.support.visits",
]
