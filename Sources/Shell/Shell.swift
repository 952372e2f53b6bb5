// The Shell module starts here.
