"""Tests, by what they need to run: unit, template, contract (nothing), stack (a local stack), browser."""
