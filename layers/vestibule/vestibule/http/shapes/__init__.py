"""JSON of the native API: what comes in as pydantic models, what goes out as plain members.

Only types and member names are judged here; what a value must look like is a
rule of `vestibule.domain`.
"""
