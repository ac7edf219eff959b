"""DynamoDB and Secrets Manager: one module a table, named conditions, no rules.

A module here translates between records and items and says which condition a
write depends on; what a failed condition means is decided in `vestibule.domain`.
Clients of AWS are handed in.
"""
