"""What all pages of Treadle share: how they look, how they are rendered and what guards them."""
