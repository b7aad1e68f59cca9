"""Weir's connection types.

`registry` is the way in; importing this package imports no protocol library.
"""
