"""What stands in for clusters, their pods and the programs in them, shared by rooms of tests."""
