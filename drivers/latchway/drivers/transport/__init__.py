"""How drivers reach locks and bridges, and how sinks reach brokers."""
