"""The rules of the house: plain Python over the stores, with clock and randomness handed in.

Nothing here knows HTTP, a vendor's wire format or boto3.
"""
