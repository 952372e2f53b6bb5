// The Workspaces module starts here.
