"""One module a field group: each has `find(doc) -> Iterator[Finding]`; `cases.py` deals the findings to patients.

An extractor yields every mention that fills its field, general statements and repetitions included; `cases.py` drops
the former, folds the latter and keeps each field's cardinality.
"""
