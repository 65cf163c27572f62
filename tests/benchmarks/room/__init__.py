"""A room full of people on one server: how long they wait, what they get, what it costs."""
