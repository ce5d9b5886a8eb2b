"""Pure functions from bank data to the API's own structs, shared by the areas."""
