"""The page on which users see which partners hold what of their Items, and take it back."""
