"""The report of a run: one page with flow, evidence table and pictures; the pictures as files beside it."""
