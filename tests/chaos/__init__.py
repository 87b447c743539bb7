"""Random faults at a real instance under real load, and what must be true all the same."""
