"""The local API: HTTP over a Unix socket, the only door for the CLI, scripts and Prometheus."""
