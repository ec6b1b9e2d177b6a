"""The backends, a module each. `registry` lists them, and `base.get_backend` imports one when it is first used."""
