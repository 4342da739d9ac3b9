"""What the lab draws: ladder diagrams, plots, and how both look."""
