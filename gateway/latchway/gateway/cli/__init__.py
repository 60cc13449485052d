"""The `latchway` command: a client of the local API, and the door to the daemon and the demo.

Modules here import only the light half of the standard library at the top, so that help is
quick; what is heavier is imported inside the command that needs it.
"""
