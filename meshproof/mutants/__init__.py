"""Small faults in istiod's own code, compiled in and switched on one by one: who notices."""
