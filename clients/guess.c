// SPDX-License-Identifier: GPL-2.0
/*
 * Maps a buffer that a driver has imported, while its handle is closed. Nobody
 * says at which offset such an object is mapped, but it is easy to guess. The
 * mapping either fails or shows the buffer, and the kernel does not warn.
 *
 * The handle is closed by a real-time process that wakes up at any time, so that
 * it interrupts whoever maps at any place. How often does not depend on how fast
 * the machine is.
 *
 *	guess IMPORTER EXPORTER [IMPORTS]
 */

#include "client.h"

#include <sched.h>

#define NR_PAGES	3
#define SIZE		(NR_PAGES * PAGE)
#define BYTE		0x6b
#define NR_MAPPERS	2

static struct shared {
	unsigned long mapped, refused;
	int stop;
} *shared;

/* The first of them is where the handle is closed. */
static void stay_on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die_errno("sched_setaffinity");
}

static void mapper(int fd, uint64_t offset)
{
	while (!__atomic_load_n(&shared->stop, __ATOMIC_RELAXED)) {
		unsigned char *addr = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, offset);

		if (addr == MAP_FAILED) {
			/* Nothing is there, or it is not for this file any more. */
			if (errno != EINVAL && errno != EACCES)
				die_errno("guess: mmap");
			__atomic_add_fetch(&shared->refused, 1, __ATOMIC_RELAXED);
			continue;
		}
		if (addr[0] != BYTE || addr[SIZE - 1] != BYTE)
			die("guess: the mapping shows %02x and %02x", addr[0], addr[SIZE - 1]);
		if (munmap(addr, SIZE))
			die_errno("munmap");
		__atomic_add_fetch(&shared->mapped, 1, __ATOMIC_RELAXED);
	}
	exit(0);
}

int main(int argc, char **argv)
{
	struct sched_param param = { .sched_priority = 1 };
	unsigned long imports = 0, nr = 5000;
	uint32_t handle, gone;
	pid_t pids[NR_MAPPERS];
	unsigned char *addr;
	int imp, exp, dma_buf, i, status;
	uint64_t offset;
	long warnings;
	bool failed = false;

	if (argc > 3)
		nr = strtoul(argv[3], NULL, 10);
	if (argc < 3 || !nr)
		die("usage: guess IMPORTER EXPORTER [IMPORTS]");
	imp = open_driver(argv[1]);
	exp = open_driver(argv[2]);
	if (imp < 0 || exp < 0)
		die("guess: no device of %s", argv[imp < 0 ? 1 : 2]);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (shared == MAP_FAILED)
		die_errno("mmap");

	handle = create_dumb(exp, NR_PAGES);
	addr = map_buffer(exp, handle, SIZE);
	memset(addr, BYTE, SIZE);
	dma_buf = export_fd(exp, handle);

	/* The import gets the offset of another buffer of its size, which has gone. */
	gone = create_dumb(imp, NR_PAGES);
	offset = map_offset(imp, gone);
	close_handle(imp, gone);

	warnings = kernel_warnings();
	for (i = 0; i < NR_MAPPERS; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			die_errno("fork");
		if (!pids[i]) {
			stay_on_cpu(i);
			mapper(imp, offset);
		}
	}

	stay_on_cpu(0);
	if (sched_setscheduler(0, SCHED_FIFO, &param))
		die_errno("sched_setscheduler");
	while (imports < nr) {
		struct timespec ts = { .tv_nsec = 20000 + random_below(300000) };

		handle = import_handle(imp, dma_buf);
		if (!handle)
			die("guess: %s does not import from %s", argv[1], argv[2]);
		nanosleep(&ts, NULL);
		close_handle(imp, handle);
		imports++;
		/* One is enough. */
		if (kernel_warnings() != warnings)
			break;
		/* Some time for those who find nothing. */
		nanosleep(&ts, NULL);
	}

	__atomic_store_n(&shared->stop, 1, __ATOMIC_RELAXED);
	for (i = 0; i < NR_MAPPERS; i++) {
		if (waitpid(pids[i], &status, 0) != pids[i])
			die_errno("waitpid");
		failed |= status;
	}
	printf("guess: %s from %s: %lu imports, %lu mappings, %lu refused\n", argv[1], argv[2],
	       imports, shared->mapped, shared->refused);
	if (kernel_warnings() != warnings)
		die("guess: the kernel warned");
	if (!shared->mapped || !shared->refused)
		die("guess: the guess was wrong: this tests nothing");

	return failed;
}
