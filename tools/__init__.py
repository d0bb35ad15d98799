"""Tools of the developers: drawing, training, measuring. May import all of ``lpr``; ``lpr`` imports nothing of them."""
