// SPDX-License-Identifier: GPL-2.0
/*
 * Fills memory several times over with dumb buffers that all stay mapped, then
 * walks over them: each word must be what was written. Each walk but the last
 * writes new contents, which the next one looks for. With -h, somebody else's
 * private memory is written and checked beside it.
 *
 *	fill [-t MIB] [-b MIB] [-s SEED] [-w WALKS] [-h MIB] [-o FILE] DRIVER
 *
 * Filling ends where the kernel refuses more for want of memory. That is no
 * failure: how much there was by then is in the last line, which is for programs
 * to read. Wrong words, a SIGBUS, an OOM kill and memory that does not come back
 * are failures.
 *
 * Three processes: one that fills, one that hogs memory, and one that watches.
 * When it comes to an OOM kill, the hog goes first, then the one that fills; the
 * one that watches never, to tell of it. FILE gets what it saw, twice a second.
 */

#include "pattern.h"

#include <signal.h>

#define MIB		(1ul << 20)
#define MAX_BUFFERS	4096
#define MAX_SAMPLES	20000

static struct shared {
	/* MiB that are mapped and have been written */
	unsigned long reached;
	/* 0 is filling */
	unsigned int walk;
	int refused;
	bool sigbus;
	unsigned long wrong, hog_wrong, hog_rounds;
	int stop;
} *shared;

/* What /proc/meminfo says, in KiB. */
struct sample {
	double time;
	unsigned long reached;
	unsigned int walk;
	long free, available, swap, shmem;
};

static struct sample samples[MAX_SAMPLES];
static unsigned int nr_samples;

static const char *driver;
static unsigned int total = 1536, buffer_mib = 8, walks = 2, hog_mib;
static unsigned char *buffers[MAX_BUFFERS];
static unsigned int nr_buffers;

/* ---- the one that fills ---- */

static void on_sigbus(int sig, siginfo_t *info, void *context)
{
	unsigned int i;

	(void)sig;
	(void)context;
	shared->sigbus = true;
	for (i = 0; i < nr_buffers; i++) {
		size_t at = (unsigned char *)info->si_addr - buffers[i];

		if ((unsigned char *)info->si_addr >= buffers[i] && at < buffer_mib * MIB)
			printf("fill: %s: SIGBUS in walk %u (0: filling), buffer %u of %u, byte %#zx\n",
			       driver, shared->walk, i, nr_buffers, at);
	}
	fflush(stdout);
	_exit(1);
}

/* Returns 0 or an error. */
static int add_buffer(int fd)
{
	struct drm_mode_create_dumb dumb = {
		.width = PAGE / 4, .height = buffer_mib * MIB / PAGE, .bpp = 32,
	};
	struct drm_mode_map_dumb map = {};
	void *addr;
	int ret;

	ret = try_ioctl(fd, DRM_IOCTL_MODE_CREATE_DUMB, &dumb);
	if (ret)
		return ret;
	if (dumb.size != buffer_mib * MIB)
		die("fill: %s: a buffer of %u MiB has %llu bytes", driver, buffer_mib, dumb.size);
	map.handle = dumb.handle;
	ret = try_ioctl(fd, DRM_IOCTL_MODE_MAP_DUMB, &map);
	if (ret)
		return ret;
	addr = mmap(NULL, dumb.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, map.offset);
	if (addr == MAP_FAILED)
		return -errno;
	buffers[nr_buffers++] = addr;

	return 0;
}

static void walk_over(unsigned int buffer, unsigned int walk)
{
	size_t nr = buffer_mib * MIB / PAGE, page;

	for (page = 0; page < nr; page++) {
		uint64_t *addr = (uint64_t *)(buffers[buffer] + page * PAGE);

		if (walk)
			shared->wrong += check_page(addr, first_word(buffer, page, walk - 1),
						    driver, "buffer", buffer, page);
		if (walk < walks)
			write_page(addr, first_word(buffer, page, walk));
	}
}

static void fill(int fd)
{
	struct sigaction action = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO };
	unsigned int i;
	int ret;

	must_write("/proc/self/oom_score_adj", "0");
	sigaction(SIGBUS, &action, NULL);
	while (nr_buffers < total / buffer_mib) {
		ret = add_buffer(fd);
		if (ret && ret != -ENOMEM)
			die("fill: %s: buffer %u: %s", driver, nr_buffers, strerror(-ret));
		if (ret) {
			shared->refused = -ret;
			break;
		}
		walk_over(nr_buffers - 1, 0);
		shared->reached += buffer_mib;
	}
	for (shared->walk = 1; shared->walk <= walks; shared->walk++)
		for (i = 0; i < nr_buffers; i++)
			walk_over(i, shared->walk);
	fflush(stdout);
	_exit(0);
}

/* ---- the one that hogs private memory ---- */

static void hog(void)
{
	size_t nr = hog_mib * MIB / PAGE, page;
	uint64_t *addr;
	unsigned int round;

	must_write("/proc/self/oom_score_adj", "1000");
	addr = mmap(NULL, nr * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (addr == MAP_FAILED)
		die_errno("fill: the hog's mmap");
	for (round = 0; !__atomic_load_n(&shared->stop, __ATOMIC_RELAXED); round++) {
		for (page = 0; page < nr; page++) {
			if (round)
				shared->hog_wrong += check_page(addr + page * WORDS,
								first_word(~0, page, round - 1),
								driver, "hog", 0, page);
			write_page(addr + page * WORDS, first_word(~0, page, round));
			/* Leave the other some of the time. */
			if (page % 256 == 255)
				usleep(5000);
			if (round && __atomic_load_n(&shared->stop, __ATOMIC_RELAXED))
				break;
		}
		__atomic_store_n(&shared->hog_rounds, round + 1, __ATOMIC_RELAXED);
	}
	fflush(stdout);
	_exit(0);
}

/* ---- the one that watches ---- */

static long memory(const char *name)
{
	return number_in("/proc/meminfo", name);
}

static struct sample *take_sample(double time)
{
	struct sample *s = &samples[nr_samples];

	/* The last one takes what is beyond. */
	if (nr_samples < MAX_SAMPLES - 1)
		nr_samples++;
	s->time = time;
	s->reached = shared->reached;
	s->walk = shared->walk;
	s->free = memory("MemFree:");
	s->available = memory("MemAvailable:");
	s->swap = memory("SwapTotal:") - memory("SwapFree:");
	s->shmem = memory("Shmem:");

	return s;
}

static void write_samples(const char *path)
{
	FILE *file = fopen(path, "we");
	unsigned int i;

	if (!file)
		die_errno(path);
	fprintf(file, "# memory: %ld KiB; seconds, MiB mapped, walk, then KiB:\n", memory("MemTotal:"));
	fprintf(file, "# seconds\tmapped\twalk\tfree\tavailable\tswap\tshmem\n");
	for (i = 0; i < nr_samples; i++) {
		const struct sample *s = &samples[i];

		fprintf(file, "%.1f\t%lu\t%u\t%ld\t%ld\t%ld\t%ld\n", s->time, s->reached, s->walk,
			s->free, s->available, s->swap, s->shmem);
	}
	if (fclose(file))
		die_errno(path);
}

static pid_t start(void (*what)(int fd), int fd)
{
	pid_t pid = fork();

	if (pid < 0)
		die_errno("fork");
	if (!pid)
		what(fd);

	return pid;
}

static void start_hog(int fd)
{
	(void)fd;
	hog();
}

/* Has it ended? If so, with which status? */
static bool ended(pid_t pid, int *status)
{
	pid_t ret = waitpid(pid, status, WNOHANG);

	if (ret < 0)
		die_errno("waitpid");

	return ret == pid;
}

static unsigned int number(const char *text, unsigned int least, unsigned int most)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || n < least || n > most)
		die("fill: %s: not a number from %u to %u", text, least, most);

	return n;
}

int main(int argc, char **argv)
{
	const char *path = NULL;
	int opt, fd, status = 0, hog_status = 0;
	long swap_before, most_swap = 0, shmem_before, oom_before, oom, lost;
	double began, next = 0, next_line = 10, took;
	bool hog_ended = false, killed, hog_killed, failed;
	pid_t pid, hog_pid = 0;

	while ((opt = getopt(argc, argv, "t:b:s:w:h:o:")) != -1) {
		switch (opt) {
		case 't':
			total = number(optarg, 1, 1 << 20);
			break;
		case 'b':
			buffer_mib = number(optarg, 1, 1024);
			break;
		case 's':
			seed = number(optarg, 0, UINT_MAX);
			break;
		case 'w':
			walks = number(optarg, 1, 1000);
			break;
		case 'h':
			hog_mib = number(optarg, 1, 1 << 20);
			break;
		case 'o':
			path = optarg;
			break;
		default:
			optind = argc;
		}
	}
	if (optind != argc - 1)
		die("usage: fill [-t MIB] [-b MIB] [-s SEED] [-w WALKS] [-h MIB] [-o FILE] DRIVER");
	driver = argv[optind];
	if (total % buffer_mib || total / buffer_mib > MAX_BUFFERS)
		die("fill: %u MiB are no number of buffers of %u MiB, up to %u", total, buffer_mib,
		    MAX_BUFFERS);
	fd = open_driver(driver);
	if (fd < 0)
		die("fill: no device of %s", driver);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (shared == MAP_FAILED)
		die_errno("mmap");
	must_write("/proc/self/oom_score_adj", "-1000");
	shmem_before = memory("Shmem:");
	swap_before = memory("SwapTotal:") - memory("SwapFree:");
	oom_before = number_in("/proc/vmstat", "oom_kill ");

	/* Before there is none left for it. */
	if (hog_mib)
		hog_pid = start(start_hog, fd);
	while (hog_mib && !hog_ended && !__atomic_load_n(&shared->hog_rounds, __ATOMIC_RELAXED)) {
		hog_ended = ended(hog_pid, &hog_status);
		usleep(50000);
	}
	began = seconds();
	pid = start(fill, fd);
	close(fd);
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		die_errno("mlockall");

	while (!ended(pid, &status)) {
		took = seconds() - began;
		if (took >= next) {
			struct sample *s = take_sample(took);

			if (s->swap - swap_before > most_swap)
				most_swap = s->swap - swap_before;
			next = took + 0.5;
			if (took >= next_line) {
				printf("fill: %s: %3.0f s, %s: %lu MiB mapped, %ld MiB in swap\n",
				       driver, took, s->walk ? s->walk == 1 ? "first walk" :
				       "next walk" : "filling", s->reached, s->swap / 1024);
				fflush(stdout);
				next_line = took + 10;
			}
		}
		if (hog_mib && !hog_ended)
			hog_ended = ended(hog_pid, &hog_status);
		usleep(20000);
	}
	took = seconds() - began;
	take_sample(took);
	__atomic_store_n(&shared->stop, 1, __ATOMIC_RELAXED);
	if (hog_mib && !hog_ended && waitpid(hog_pid, &hog_status, 0) != hog_pid)
		die_errno("waitpid");

	lost = shmem_lost_kb(shmem_before);
	oom = number_in("/proc/vmstat", "oom_kill ") - oom_before;
	killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	hog_killed = WIFSIGNALED(hog_status) && WTERMSIG(hog_status) == SIGKILL;
	failed = status || hog_status || shared->wrong || shared->hog_wrong || oom || lost > 512;
	if (path)
		write_samples(path);
	printf("fill: driver=%s mib=%u buffer=%u seed=%llu reached=%lu refused=%s walks=%u wrong=%lu sigbus=%d killed=%d",
	       driver, total, buffer_mib, (unsigned long long)seed, shared->reached,
	       shared->refused ? "ENOMEM" : "-", shared->walk ? shared->walk - 1 : 0,
	       shared->wrong, shared->sigbus, killed);
	printf(" hog_mib=%u hog_rounds=%lu hog_wrong=%lu hog_killed=%d oom_kills=%ld swap_mib=%ld lost_kib=%ld seconds=%.1f status=%s\n",
	       hog_mib, shared->hog_rounds, shared->hog_wrong, hog_killed, oom, most_swap / 1024,
	       lost > 512 ? lost : 0, took, failed ? "failed" : "ok");

	return failed;
}
