"""What the server costs without its engine: CPU time a text of Triton, of the lanes and of the encoder's process."""
