"""What the house costs in time and money, measured on what is deployed.

The invariant: nothing measured stands in this package. Bounds come from the design, prices from AWS's lists
(`bench.prices`), everything else from this run, on this machine: ratios travel, milliseconds do not.
"""
