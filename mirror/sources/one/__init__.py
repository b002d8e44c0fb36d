"""IBL's mice from its public files, without a server and without a login."""
