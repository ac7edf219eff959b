"""The directory table: what lasts (accounts, API clients, users, published keys).

Every object has a partition of its own, except an account's few API clients,
which lie beside the account so that they can be listed.  Unique names
(slug, external_id, username) are items of their own, called pointers, and
uniqueness is the condition on writing one; the two indexes are for listing and
finding and promise nothing.
"""
