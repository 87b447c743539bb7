"""What the launcher knows of model files: formats, hub caches, checking, fetching, adopting, backing up."""
