#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

_Static_assert(PF_W == 2, "segments have other flags");

int clinux_return_large_blocks(size_t size) {
  // Either keeps the C library from raising the other on its own.
  if (mallopt(M_MMAP_THRESHOLD, (int)size) == 1 && mallopt(M_TRIM_THRESHOLD, (int)size) == 1) return 0;
  errno = EINVAL;
  return -1;
}

static int release(struct dl_phdr_info *object, size_t size, void *result) {
  (void)size;
  const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  for (int i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
    if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W)) continue;
    uintptr_t start = (object->dlpi_addr + segment->p_vaddr) & ~(page - 1);
    uintptr_t end = (object->dlpi_addr + segment->p_vaddr + segment->p_filesz + page - 1) & ~(page - 1);
    if (madvise((void *)start, end - start, MADV_DONTNEED) != 0) *(int *)result = -1;
  }
  return 1;  // The first object is the program; libraries are shared with others.
}

int clinux_release_program(void) {
  int result = 0;
  dl_iterate_phdr(release, &result);
  return result;
}
