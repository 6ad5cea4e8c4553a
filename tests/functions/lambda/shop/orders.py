"""A handler in packages, one of which is called as a keyword of Python is."""

from plain import handler

__all__ = ["handler"]
