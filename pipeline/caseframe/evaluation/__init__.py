"""Evaluation: systems measured against gold, with intervals, causes of error, comparison and reports."""
