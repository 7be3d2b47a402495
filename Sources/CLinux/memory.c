#define _GNU_SOURCE
#include "CLinux.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

static int give_back(struct dl_phdr_info *object, size_t size, void *context) {
  (void)size;
  uintptr_t page = (uintptr_t)*(const long *)context;
  for (int index = 0; index < object->dlpi_phnum; index++) {
    const ElfW(Phdr) *segment = &object->dlpi_phdr[index];
    // What can be written to may have been, and its file does not know of it.
    if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W) != 0) continue;
    uintptr_t start = (object->dlpi_addr + segment->p_vaddr) & ~(page - 1);
    uintptr_t end = object->dlpi_addr + segment->p_vaddr + segment->p_memsz;
    // A kernel that does not want to is no trouble: it is memory saved or not.
    (void)madvise((void *)start, end - start, MADV_DONTNEED);
  }
  return 0;
}

void muster_give_back_memory(void) {
  long page = sysconf(_SC_PAGESIZE);
  dl_iterate_phdr(give_back, &page);
  malloc_trim(0);
}
