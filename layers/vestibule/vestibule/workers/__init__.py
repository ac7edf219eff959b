"""Handlers of what no person waits for: stream records, queue messages, reports."""
