"""The MySQL protocol: a client in another process or language asks the file as it asked MySQL."""
