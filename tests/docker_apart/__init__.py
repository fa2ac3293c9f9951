"""`make test-docker`: labs on a Docker Engine that is unpacked apart, beside podman's; and tests of
what of that needs no engine."""
