"""Images: what they are, and how they come from files and go back to them."""
