"""Field-level scores against gold."""
