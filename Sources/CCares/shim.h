// The C library's types belong to Swift's own module of it, whichever of our modules names them first.
#ifdef __swift__
#pragma clang module import SwiftGlibc
#endif

#include <ares.h>
