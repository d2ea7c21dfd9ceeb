"""What an evaluation looks into beyond the metrics, each thing in a file of its own."""
