"""The demo: a day of virtual locks through the real gateway to a cloud, with a proof at the end.

`latchway demo` calls `main.run_demo`. Everything but the locks and the cloud is the product itself:
the gateway and its worker are processes of their own, on real databases in a folder that goes.
"""
