"""Vestibule: the entrance hall between a portal and a live video session.

Arrows run one way, downwards: ``wiring``, then ``http`` and ``dialects``, then
``domain``, then ``store``, then the ground modules of this folder.  The
contracts in ``pyproject.toml`` break the build when an import climbs.
"""
