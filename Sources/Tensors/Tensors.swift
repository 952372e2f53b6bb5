// The Tensors module starts here.
