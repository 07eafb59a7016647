"""One module an output format: what a run writes."""
