"""What the project is made of: pinned packages with hashes, known faults, licences, a bill of materials.

``python -m supply hashes | audit | licences | sbom``; see ``docs/supply.md``. It is no part of what is installed.
"""
