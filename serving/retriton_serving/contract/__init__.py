"""What client, export, servers and launcher share: manifest, error codes, names. Standard library only."""
