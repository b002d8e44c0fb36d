"""Answering DataJoint and MySQL clients from the file, without the server it came from."""
