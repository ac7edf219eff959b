"""The front doors: API Gateway's events in, answers out.

``api`` opens the native API, ``hub`` the pages; ``event``, ``logs`` and
``problems`` serve them and the dialects alike.
"""
