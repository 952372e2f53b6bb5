#pragma once
/* OpenSSL 3 marks these functions as deprecated in favor of the EVP interface. The EVP interface
   allocates its state on the heap and can fail; SHA256_CTX is a plain struct, so a Swift struct can
   hold it and copy it. Both run the same code for the processor's SHA instructions. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
