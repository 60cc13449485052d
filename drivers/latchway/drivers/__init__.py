"""Drivers: their contract, the worker that runs one, the wire to the gateway, the transports."""
