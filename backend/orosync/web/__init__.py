"""Starts runs from a browser: the REST API of the pane, and the static pages beside it.

Here are HTTP, schemas and who may do what; everything else is asked of `bootstrap`, `sync` and the store.
"""
