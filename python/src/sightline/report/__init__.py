"""Write an HTML page about a run: one file that loads nothing else."""
