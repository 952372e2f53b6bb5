// The Sessions module starts here.
