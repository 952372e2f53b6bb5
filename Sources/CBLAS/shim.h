#pragma once
#include <cblas.h>

// OpenBLAS declares this in cblas.h only in some builds; the call itself is always there.
void openblas_set_num_threads(int count);
