"""Pages made from the catalog: the human reference and AsyncAPI. Pure; `export` writes them."""
