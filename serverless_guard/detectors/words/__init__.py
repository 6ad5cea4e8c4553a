"""Data of the detectors, apart from their code: names that a grammar cannot know."""
