/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Allocations that fail when told so, by fail-nth. The job lets all kinds fail:
 * allocations_may_fail in checks.sh.
 */

#ifndef FAILNTH_H
#define FAILNTH_H

#include "client.h"

static int fail_fd = -1;

/* Of this process. A child has to ask for itself. */
static inline void open_fail_nth(void)
{
	fail_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fail_fd < 0)
		die_errno("/proc/thread-self/fail-nth");
}

/* The nth allocation from now on fails, and no other; none if it is 0. */
static inline void fail_at(unsigned int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", nth);

	if (pwrite(fail_fd, text, len, 0) != len)
		die_errno("fail-nth");
}

/* Returns true if the allocation has failed, and stops waiting for it. */
static inline bool has_failed(void)
{
	char text[16] = "";

	if (pread(fail_fd, text, sizeof(text) - 1, 0) < 0)
		die_errno("fail-nth");
	fail_at(0);

	return !atoi(text);
}

#endif
