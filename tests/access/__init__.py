"""Who may ask: keys, networks, roles, limits, TLS, slow clients."""
