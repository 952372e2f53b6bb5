// The Tokenizers module starts here.
