"""Side-by-side measurements: `systems` start what is compared, `workloads` measure it, `report` writes the table."""
