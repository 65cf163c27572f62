"""The command line: everything a page can do, scriptable. One module a command."""
