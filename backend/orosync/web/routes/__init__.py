"""One file for each topic of the API, each with a `blueprint`; `web/app.py` registers them."""
