"""The five services and the chassis that they stand on. Services never import each other."""
