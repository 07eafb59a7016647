"""Training of the learned entities: from annotated corpora and unmarked articles to a component with weights."""
