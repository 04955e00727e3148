"""One file per case; `registry` lists them."""
