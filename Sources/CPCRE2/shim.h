#pragma once
// PCRE2 names its functions by code-unit width; this module uses UTF-8. The names without a width
// are macros, which Swift cannot import, so Swift calls pcre2_compile_8 and similar functions.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
