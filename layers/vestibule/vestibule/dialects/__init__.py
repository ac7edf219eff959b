"""Vendors' wire formats over the house's own calls: tables of names, no rules of their own."""
