"""The lenses: one module an entity, between each side's JSON and the record."""
