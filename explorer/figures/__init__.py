"""Results to pictures: charts for the screen (plotly), plates for print (matplotlib), files. No model is run here."""
