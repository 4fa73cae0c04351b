#pragma once

/// How many times the calling thread has asked the C library for memory. Linked into tests only.
unsigned long CAllocations_count(void);
