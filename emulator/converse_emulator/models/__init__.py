"""The catalogue of models: their ids, families, limits and capabilities."""
