"""Results as figures: plotly charts for the pages, matplotlib figures for print, and files.

Nothing in this package runs a model.
"""
