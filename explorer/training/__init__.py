"""Training of the bundled classifiers, and what is published of it."""
