// The Transformers module starts here.
