"""The keys of the lab's widgets that all sections share."""

PAGE = "lab_"  # begins the keys of this page's widgets and values
SECTION = f"{PAGE}section"
