"""What goes in and out of the API, one file for each topic. Unknown fields are refused."""
