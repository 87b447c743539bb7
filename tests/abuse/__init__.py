"""What nobody should send, and how nobody should listen: nothing breaks, nothing is left behind."""
