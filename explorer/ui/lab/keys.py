"""The keys of the lab's widgets, and an error, that several sections share."""

PAGE = "lab_"  # begins the keys of this page's widgets and values
SECTION = f"{PAGE}section"
NO_DATA = "name a data set, such as a folder with a sub-folder for each class"
