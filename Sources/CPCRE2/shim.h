#pragma once
// PCRE2 names its functions by code-unit width; this module speaks UTF-8. The names without a width
// are macros, which Swift does not see, so Swift calls pcre2_compile_8 and its like directly.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
