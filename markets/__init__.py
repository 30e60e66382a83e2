"""What can be traded: approved pairs, their live books, and the scanner between them."""
