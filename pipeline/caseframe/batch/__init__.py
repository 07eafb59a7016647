"""Runs over dumps: shards, run directories, failures."""
