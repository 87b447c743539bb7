"""What was made, kept for each owner; and presets."""
