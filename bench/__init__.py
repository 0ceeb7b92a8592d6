"""What the gateway costs: `python -m bench` starts it on free ports and loads it on this machine.

In the order of a run: `tools` finds or fetches the load generator, `provider` builds and starts a
provider that costs next to nothing, `gateway` starts the gateway in a data directory of its own,
`verify` makes sure that its answers are whole, `load` drives it, `processes` and `postgres` read
what that took, `suite` puts one figure beside the other and `report` prints and keeps them.
"""
