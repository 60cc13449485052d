"""The daemon: supervisor, intake, writer, delivery, sinks, local API, command line, demo."""
