"""The version, read by every table and component that names its source."""

__version__ = "0.1.0"
