"""The published way on a machine that reaches no registry: real images under their public names in
a real registry on loopback, real pulls, the real code from there to the verdict (`make published`).
"""
