"""What people decide about a run: the local review page, its decisions, agreement, and the corrected tables."""
