"""What checks a change of the published language against what was released."""
