/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is in the pages of a buffer: other words for each buffer, page and
 * generation, from a seed.
 */

#ifndef PATTERN_H
#define PATTERN_H

#include "client.h"

#define WORDS		((unsigned int)(PAGE / 8))
/* Wrong words that are printed. */
#define MAX_TOLD	5

static uint64_t seed = 1;
/* After so many words, they are the same again: a power of two, for zram. */
static unsigned int repeat_after = WORDS;

static inline uint64_t mix(uint64_t z)
{
	z += 0x9e3779b97f4a7c15;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;

	return z ^ (z >> 31);
}

static inline uint64_t first_word(unsigned int buffer, size_t page, unsigned int generation)
{
	return mix(mix(mix(seed ^ buffer) ^ page) ^ generation);
}

/* Nothing that could be compressed within a repetition, and fast when it is emulated. */
static inline uint64_t word(uint64_t first, unsigned int i)
{
	uint64_t z = first + (i & (repeat_after - 1)) * 0x9e3779b97f4a7c15;

	return (z ^ (z >> 32)) * 0xbf58476d1ce4e5b9;
}

static inline void write_page(uint64_t *addr, uint64_t first)
{
	unsigned int i;

	for (i = 0; i < WORDS; i++)
		addr[i] = word(first, i);
}

/* Returns how many words are wrong. */
static inline unsigned long check_page(const uint64_t *addr, uint64_t first, const char *driver,
				       const char *what, unsigned int buffer, size_t page)
{
	static unsigned int told;
	unsigned long wrong = 0;
	unsigned int i;

	for (i = 0; i < WORDS; i++) {
		uint64_t found = addr[i];

		if (found == word(first, i))
			continue;
		wrong++;
		if (told++ < MAX_TOLD)
			printf("%s: %s %u, byte %#zx: expected %016llx, found %016llx\n", driver,
			       what, buffer, page * PAGE + i * 8,
			       (unsigned long long)word(first, i), (unsigned long long)found);
	}

	return wrong;
}

#endif
