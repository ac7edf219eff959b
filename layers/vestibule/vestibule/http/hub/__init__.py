"""The hub's pages: what a person's browser asks for on an account's host.

``visit`` is the front door that all pages share; each other module is one place
a browser comes to.
"""
