// The Worlds module starts here.
