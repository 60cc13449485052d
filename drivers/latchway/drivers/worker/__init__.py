"""The worker: one process that runs one vendor's driver and speaks to the gateway for it.

Started by the gateway as `python -m latchway.drivers.worker --vendor NAME --driver NAME --fd N`.
"""
