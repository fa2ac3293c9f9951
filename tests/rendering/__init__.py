"""What Helm and istioctl would install, compared: run by `make rendering`, with both programs."""
