// The running hash is kept by value and its words are looked at, which only the functions that
// OpenSSL 3 calls deprecated allow.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
