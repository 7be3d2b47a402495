#ifndef MUSTER_SHA256_H
#define MUSTER_SHA256_H

#include <stddef.h>
#include <stdint.h>

// Whether the processor has instructions for SHA-256.
int muster_sha256_is_fast(void);

// Takes whole blocks of 64 bytes into the state, by those instructions. Only where they are.
void muster_sha256_blocks(uint32_t state[8], const uint8_t *bytes, size_t blocks);

#endif
