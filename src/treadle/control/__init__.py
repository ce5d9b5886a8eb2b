"""The control plane: operations of Treadle's own, under `/treadle/`."""
