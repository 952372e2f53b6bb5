// The CommandLanguage module starts here.
