// The Alignment module starts here.
