// SPDX-License-Identifier: GPL-2.0
/*
 * Commands to virtio-gpu's host that do not get into the queue. Afterwards the
 * driver is taken from its device, and complains of those that have been lost.
 *
 *	unqueued alone
 *
 * There is room for one command, and each allocation of a system call fails in
 * turn, that of the command's descriptors among them. It needs more room then,
 * which is there when the host has looked at the queue, a little later. All system
 * calls end, with an error or without. Those that report one succeed when tried
 * once more.
 *
 *	unqueued guessed
 *
 * The same, while others guess the handles, to export and to close them. Ends with
 * 77 on a device that does 3D.
 *
 *	unqueued unbind|unbind-full
 *
 * The host does not look at the queue at all, and the driver is taken from its
 * device while a process waits in each of the calls: its commands are in the
 * queue, or there is no room for them. The calls end, and so does unbind.
 *
 * Of the kernel this needs fail-nth, and that failslab and fail_page_alloc take all
 * allocations: unqueued.sh.
 */

#include "failnth.h"
#include "virtgpu.h"

#include <poll.h>
#include <signal.h>

#define PAGES		3
#define NR_GUESSED	24
#define NR_TESTS	15
#define MAX_ALLOCS	24
#define ROUNDS		2
/* Seconds. A call waits for the host for a fraction of one. */
#define HANGS		60
#define UNBIND_HANGS	30
#define SKIP		77

static struct shared {
	unsigned long steps, sent, filled, ready, ended, closed, exported;
	char what[64];
	int state, stop;
} *shared;

static char device[256];

static void count(unsigned long *counter)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

static bool stopped(void)
{
	return __atomic_load_n(&shared->stop, __ATOMIC_RELAXED);
}

/* ---- a host that does not look at the queue ---- */

enum { AWAKE, SILENT, READY };

static int state(void)
{
	return __atomic_load_n(&shared->state, __ATOMIC_ACQUIRE);
}

static void set_state(int state)
{
	__atomic_store_n(&shared->state, state, __ATOMIC_RELEASE);
}

/* Has the host look again, some time after all is ready or does not go on. */
static void waker(void)
{
	unsigned long filled = 0;
	double since = 0;
	int was = AWAKE;

	while (!stopped() || state() != AWAKE) {
		if (state() != was || __atomic_load_n(&shared->filled, __ATOMIC_RELAXED) != filled) {
			was = state();
			filled = shared->filled;
			since = seconds();
		}
		if (was != AWAKE && seconds() > since + (was == READY ? 0.05 : 1)) {
			silence_host(device, false);
			kick_host(device);
			set_state(AWAKE);
		}
		usleep(2000);
	}
	exit(0);
}

/* What was sent before has come back. */
static void drain(int fd)
{
	struct drm_virtgpu_3d_wait wait = { .handle = create_resource(fd, 16) };

	must_ioctl(fd, DRM_IOCTL_VIRTGPU_WAIT, &wait);
	close_handle(fd, wait.handle);
	/* These were commands, too. */
	usleep(5000);
}

/*
 * How many commands there is room for, when each takes one entry. A queue has a power
 * of two of them; other numbers are those of a process that was slow.
 */
static unsigned long measure_queue(int fd, uint32_t handle)
{
	unsigned long sent;
	unsigned int same;
	pid_t pid;

	/* Once more if somebody else had sent something before. */
	do {
		shared->sent = 0;
		drain(fd);
		silence_host(device, true);
		pid = fork();
		if (pid < 0)
			die_errno("fork");
		if (!pid) {
			while (!stopped() && !transfer_to_host(fd, handle, 16))
				count(&shared->sent);
			exit(0);
		}
		same = 0;
		do {
			sent = shared->sent;
			usleep(300000);
			same = shared->sent == sent && sent >= 4 ? same + 1 : 0;
		} while (!same || (sent & (sent - 1) && same < 10));
		shared->stop = 1;
		silence_host(device, false);
		kick_host(device);
		waitpid(pid, NULL, 0);
		shared->stop = 0;
	} while (sent & (sent - 1));

	return sent;
}

/* ---- those who guess handles ---- */

static int try_close(int fd, uint32_t handle)
{
	struct drm_gem_close args = { .handle = handle };

	return try_ioctl(fd, DRM_IOCTL_GEM_CLOSE, &args);
}

static int try_export(int fd, uint32_t handle, int *dma_buf)
{
	struct drm_prime_handle prime = { .handle = handle, .flags = DRM_RDWR | DRM_CLOEXEC };
	int ret = try_ioctl(fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime);

	*dma_buf = ret ? -1 : prime.fd;

	return ret;
}

static int try_import(int fd, int dma_buf, uint32_t *handle)
{
	struct drm_prime_handle prime = { .fd = dma_buf };
	int ret = try_ioctl(fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime);

	*handle = ret ? 0 : prime.handle;

	return ret;
}

static void closer(int fd)
{
	uint32_t handle;

	while (!stopped()) {
		for (handle = 1; handle <= NR_GUESSED; handle++)
			if (!try_close(fd, handle))
				count(&shared->closed);
		usleep(1000);
	}
	exit(0);
}

static void exporter(int fd)
{
	uint32_t guess, handle;
	unsigned int n = 0;
	int dma_buf;

	open_fail_nth();
	while (!stopped()) {
		for (guess = 1; guess <= NR_GUESSED; guess++) {
			/* Either may fail, or none. */
			fail_at(n % 3 ? 0 : 1 + n / 3 % 24);
			try_export(fd, guess, &dma_buf);
			fail_at(0);
			if (dma_buf < 0)
				continue;
			n++;
			count(&shared->exported);
			fail_at(n % 3 == 1 ? 1 + n / 3 % 24 : 0);
			if (!try_import(fd, dma_buf, &handle) && n % 2)
				try_close(fd, handle);
			fail_at(0);
			close(dma_buf);
		}
		usleep(1000);
	}
	exit(0);
}

/* ---- the calls: what comes before, the call, what must be afterwards ---- */

static int fd, quiet_fd;
static bool guessed, unbinding;
static int has_3d;
static unsigned long room;
static long warnings;

/* What one call makes; all is gone before the next one. */
static uint32_t handle;
static int dma_buf = -1, other = -1, fence = -1;

/* What all calls use. */
static struct display display;
static uint32_t target, fbs[2], cursors[2];
static unsigned int turn;
static bool shown;

/* From now on there is room for one command, until the host looks. */
static void fill_queue(void)
{
	unsigned long i;

	/* When others have sent something it may get full, and the host looks. */
	do {
		drain(quiet_fd);
		silence_host(device, true);
		set_state(SILENT);
		for (i = 0; i < room - 1; i++) {
			transfer_to_host(quiet_fd, target, 16);
			count(&shared->filled);
		}
	} while (state() != SILENT && !guessed);
	if (state() == SILENT)
		set_state(READY);
}

static void must(const char *what, int ret)
{
	/* Of a device that is gone, or of what could not be made. */
	if (unbinding && (ret == -ENODEV || ret == -ENOENT))
		return;
	if (ret)
		die("unqueued: %s: %s: %s", shared->what, what, strerror(-ret));
}

static int try_create(int file, uint32_t *new)
{
	struct drm_mode_create_dumb dumb = { .width = PAGE / 4, .height = PAGES, .bpp = 32 };
	int ret = try_ioctl(file, DRM_IOCTL_MODE_CREATE_DUMB, &dumb);

	*new = ret ? 0 : dumb.handle;

	return ret;
}

static int call_create(void)
{
	return try_create(fd, &handle);
}

static void with_buffer(void)
{
	must("create", call_create());
}

static int call_export(void)
{
	return try_export(fd, handle, &dma_buf);
}

/* Nothing else leads to the buffer. */
static void with_dma_buf(void)
{
	int ret;

	with_buffer();
	ret = call_export();
	if (!guessed)
		must("export", ret);
	if (!try_close(fd, handle))
		handle = 0;
}

static int call_import(void)
{
	return try_import(fd, dma_buf, &handle);
}

static int call_close(void)
{
	int ret = try_close(fd, handle);

	if (!ret)
		handle = 0;

	return ret;
}

static int call_close_dma_buf(void)
{
	int ret = close(dma_buf) ? -errno : 0;

	dma_buf = -1;

	return ret;
}

static void with_other_file(void)
{
	uint32_t new;
	int i;

	other = open_driver("virtio_gpu");
	if (other < 0)
		die_errno("unqueued: open");
	for (i = 0; i < 3; i++)
		must("create", try_create(other, &new));
	must("create", try_create_resource(other, 64, &new));
}

static int call_close_file(void)
{
	int ret = close(other) ? -errno : 0;

	other = -1;

	return ret;
}

static int call_resource(void)
{
	return try_create_resource(fd, 64, &handle);
}

/* The command has a fence, which signals in any case. */
static void is_done(void)
{
	struct drm_virtgpu_3d_wait wait = { .handle = handle };

	must("wait for the host", try_ioctl(fd, DRM_IOCTL_VIRTGPU_WAIT, &wait));
}

static int call_transfer(void)
{
	return transfer_to_host(fd, target, 64);
}

static int call_transfer_back(void)
{
	struct drm_virtgpu_3d_transfer_from_host transfer = {
		.bo_handle = target,
		.box = { .w = 64, .h = 64, .d = 1 },
	};

	return try_ioctl(fd, DRM_IOCTL_VIRTGPU_TRANSFER_FROM_HOST, &transfer);
}

static void target_is_done(void)
{
	struct drm_virtgpu_3d_wait wait = { .handle = target };

	must("wait for the host", try_ioctl(fd, DRM_IOCTL_VIRTGPU_WAIT, &wait));
}

/* Commands of virgl that do nothing. */
static int call_execbuffer(void)
{
	static uint32_t nops[16];
	struct drm_virtgpu_execbuffer exec = {
		.flags = VIRTGPU_EXECBUF_FENCE_FD_OUT,
		.size = sizeof(nops), .command = (uintptr_t)nops,
		.bo_handles = (uintptr_t)&target, .num_bo_handles = 1,
	};
	int ret = try_ioctl(fd, DRM_IOCTL_VIRTGPU_EXECBUFFER, &exec);

	fence = ret ? -1 : exec.fence_fd;

	return ret;
}

static void fence_signals(void)
{
	struct pollfd poll_fd = { .fd = fence, .events = POLLIN };

	if (fence >= 0 && poll(&poll_fd, 1, UNBIND_HANGS * 1000 / 2) != 1)
		die("unqueued: %s: the fence does not signal", shared->what);
	target_is_done();
}

static int call_show(void)
{
	int ret = try_show(fd, &display, fbs[turn]);

	shown |= !ret;

	return ret;
}

static void with_shown(void)
{
	if (!shown)
		must("show", call_show());
}

static void with_another_shown(void)
{
	with_shown();
	turn = !turn;
}

static int call_hide(void)
{
	int ret = try_show(fd, &display, 0);

	shown &= !!ret;

	return ret;
}

static void with_nothing_shown(void)
{
	must("hide", call_hide());
}

static int call_dirty(void)
{
	return dirty_fb(fd, fbs[turn]);
}

static int call_cursor(void)
{
	struct drm_mode_cursor cursor = {
		.flags = DRM_MODE_CURSOR_BO, .crtc_id = display.crtc, .handle = cursors[turn],
		.width = 64, .height = 64,
	};

	return try_ioctl(fd, DRM_IOCTL_MODE_CURSOR, &cursor);
}

static const struct test {
	const char *name;
	void (*before)(void);
	int (*call)(void);
	void (*after)(void);
	/* Also while others guess handles. */
	bool guessed;
	/* What is there with 3D only, and what is the same with 3D. */
	enum { ANY, ONLY_3D, ONLY_2D } device;
} tests[NR_TESTS] = {
	{ "create", NULL, call_create, NULL, true, ANY },
	{ "export", with_buffer, call_export, NULL, true, ANY },
	{ "import", with_dma_buf, call_import, NULL, true, ANY },
	{ "close", with_buffer, call_close, NULL, true, ANY },
	{ "close a dma-buf", with_dma_buf, call_close_dma_buf, NULL, true, ANY },
	{ "close a file", with_other_file, call_close_file, NULL, false, ANY },
	{ "create a resource", NULL, call_resource, is_done, false, ANY },
	{ "transfer", NULL, call_transfer, target_is_done, false, ANY },
	{ "transfer back", NULL, call_transfer_back, target_is_done, false, ONLY_3D },
	{ "execbuffer", NULL, call_execbuffer, fence_signals, false, ONLY_3D },
	{ "show", with_nothing_shown, call_show, NULL, false, ONLY_2D },
	{ "show another", with_another_shown, call_show, NULL, false, ONLY_2D },
	{ "mark dirty", with_shown, call_dirty, NULL, false, ONLY_2D },
	{ "cursor", with_another_shown, call_cursor, NULL, false, ONLY_2D },
	{ "hide", with_shown, call_hide, NULL, false, ONLY_2D },
};

static uint32_t create_cursor(void)
{
	struct drm_mode_create_dumb dumb = { .width = 64, .height = 64, .bpp = 32 };

	must_ioctl(fd, DRM_IOCTL_MODE_CREATE_DUMB, &dumb);

	return dumb.handle;
}

/* What others guess is for them to close. */
static void clean_up(void)
{
	if (handle && !guessed)
		try_close(fd, handle);
	if (dma_buf >= 0)
		close(dma_buf);
	if (other >= 0)
		close(other);
	if (fence >= 0)
		close(fence);
	handle = 0;
	dma_buf = other = fence = -1;
}

static unsigned int nr_failed, nr_tolerated;

/* Returns true if an allocation has failed. */
static bool try_call(const struct test *test, unsigned int nth)
{
	bool fired;
	int ret;

	snprintf(shared->what, sizeof(shared->what), "%s, allocation %u", test->name, nth);
	if (test->before)
		test->before();
	fill_queue();
	fail_at(nth);
	ret = test->call();
	fired = has_failed();
	while (state() != AWAKE)
		usleep(1000);
	if (kernel_warnings() != warnings)
		die("unqueued: %s: the kernel warned", shared->what);
	/* A descriptor that was not reserved must not be given back. */
	if (fcntl(STDIN_FILENO, F_GETFD) < 0)
		die("unqueued: %s: fd 0 is gone", shared->what);

	nr_failed += fired && ret;
	nr_tolerated += fired && !ret;
	/* With others at work, a call may find nothing to do. */
	if (!guessed) {
		if (ret && !fired)
			must("fails by itself", ret);
		/* The last is what virtio-gpu says that has none for a list. */
		if (ret && ret != -ENOMEM && ret != -ENOSPC && ret != -ENOENT)
			must("no memory is reported as", ret);
		if (ret)
			must("fails once more", test->call());
		if (test->after)
			test->after();
	}
	clean_up();
	count(&shared->steps);

	return fired;
}

/* Until none fails; with others at work, a call may find nothing to do. */
static void sweep(const struct test *test)
{
	/* The kernel may leave what is closed to a worker. */
	bool allocates = guessed ? test->call == call_create : strncmp(test->name, "close", 5);
	unsigned int i;

	nr_failed = nr_tolerated = 0;
	if (!guessed)
		for (i = 1; try_call(test, i); i++)
			;
	else
		for (i = 0; i < ROUNDS * MAX_ALLOCS; i++)
			try_call(test, 1 + i % MAX_ALLOCS);
	/* Whatever others do, there is something to create. */
	if (!nr_failed && !nr_tolerated && allocates)
		die("unqueued: %s: no allocation failed: this tests nothing", shared->what);
	printf("unqueued: %s: %u failed, %u made up for\n", test->name, nr_failed, nr_tolerated);
}

static void sweeper(void)
{
	unsigned int i;

	open_fail_nth();
	for (i = 0; i < NR_TESTS; i++)
		if ((tests[i].guessed || !guessed) && tests[i].device != (has_3d ? ONLY_2D : ONLY_3D))
			sweep(&tests[i]);
	exit(0);
}

/* ---- all together ---- */

/* Runs one of the functions in a process of its own. */
#define start(call)							\
	({								\
		pid_t __pid = fork();					\
									\
		if (__pid < 0)						\
			die_errno("fork");				\
		if (!__pid)						\
			call;						\
		__pid;							\
	})

/* Says where it is in the kernel, and has it end after all, if the host can do that. */
__attribute__((noreturn))
static void hangs(pid_t pid, const char *who)
{
	char path[64], line[256];
	FILE *file;

	fprintf(stderr, "unqueued: %s hangs:\n", who);
	snprintf(path, sizeof(path), "/proc/%d/stack", pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		fputs(line, stderr);
	shared->stop = 1;
	silence_host(device, false);
	kick_host(device);
	signal(SIGTERM, SIG_IGN);
	kill(0, SIGTERM);
	sleep(2);
	try_write(VIRTGPU_DRIVER "bind", device);
	die("unqueued: %s hangs, %s", who, shared->what);
}

/* Until it has ended or hangs: when nothing is done in the meantime. */
static int wait_for(pid_t pid, const char *who, unsigned int most)
{
	unsigned long steps = shared->steps;
	double since = seconds();
	int status;

	while (!waitpid(pid, &status, WNOHANG)) {
		if (steps != __atomic_load_n(&shared->steps, __ATOMIC_RELAXED)) {
			steps = shared->steps;
			since = seconds();
		}
		if (seconds() > since + most)
			hangs(pid, who);
		usleep(20000);
	}

	return status;
}

static void unbind(void)
{
	must_write(VIRTGPU_DRIVER "unbind", device);
	exit(0);
}

static void setup(void)
{
	struct drm_virtgpu_getparam param = {
		.param = VIRTGPU_PARAM_3D_FEATURES, .value = (uintptr_t)&has_3d,
	};
	struct drm_mode_create_dumb dumb;
	unsigned int i;

	fd = open_driver("virtio_gpu");
	if (fd < 0)
		die("unqueued: no device of virtio_gpu");
	quiet_fd = fd;
	must_ioctl(fd, DRM_IOCTL_VIRTGPU_GETPARAM, &param);
	find_display(fd, &display);
	target = create_resource(fd, 64);
	for (i = 0; i < 2; i++) {
		fbs[i] = create_fb(fd, &display, &dumb);
		cursors[i] = create_cursor();
	}
	/* From here on, what they need in pages is there. */
	for (i = 0; i < 2; i++) {
		turn = i;
		must("show", call_show());
		must("cursor", call_cursor());
	}
}

static unsigned int allocations_fail(void)
{
	unsigned int nr = 0, i, failed;
	pid_t pids[3];

	if (guessed && has_3d) {
		printf("unqueued: the larger queue takes too long to fill each time\n");
		exit(SKIP);
	}
	room = measure_queue(fd, target);
	printf("unqueued: there is room for %lu commands%s\n", room, has_3d ? ", with 3D" : "");
	pids[nr++] = start(waker());
	if (guessed) {
		/* The handles that nobody may close are those of another file. */
		fd = open_driver("virtio_gpu");
		pids[nr++] = start(closer(fd));
		pids[nr++] = start(exporter(fd));
	}
	failed = !!wait_for(start(sweeper()), "a system call", HANGS);
	shared->stop = 1;
	for (i = 0; i < nr; i++)
		failed += !!wait_for(pids[i], "another client", HANGS);
	printf("unqueued: %lu calls; others closed %lu handles and exported %lu\n", shared->steps,
	       shared->closed, shared->exported);
	if (guessed) {
		close(fd);
		if (!failed && (!shared->closed || !shared->exported))
			die("unqueued: nobody guessed a handle: this tests nothing");
	}
	close(quiet_fd);

	strcpy(shared->what, "unbind");
	failed += !!wait_for(start(unbind()), "the driver", HANGS);
	must_write(VIRTGPU_DRIVER "bind", device);

	return failed;
}

static void fill_up(void)
{
	while (!transfer_to_host(fd, target, 16))
		count(&shared->sent);
	exit(0);
}

static void caller(const struct test *test)
{
	if (test->before)
		test->before();
	count(&shared->ready);
	while (state() == AWAKE)
		usleep(1000);
	test->call();
	count(&shared->ended);
	if (test->after)
		test->after();
	exit(0);
}

/* When the calls begin, nothing is in the queue, or there is no room. */
static unsigned int driver_goes(bool full)
{
	unsigned int i, nr = 0, failed = 0;
	pid_t pids[NR_TESTS + 1];
	const char *names[NR_TESTS + 1];
	double since = seconds();
	unsigned long sent;

	unbinding = true;
	strcpy(shared->what, full ? "unbind, queue full" : "unbind");
	for (i = 0; i < NR_TESTS; i++) {
		if (tests[i].device == ONLY_3D && !has_3d)
			continue;
		names[nr] = tests[i].name;
		pids[nr++] = start(caller(&tests[i]));
	}
	while (__atomic_load_n(&shared->ready, __ATOMIC_RELAXED) < nr) {
		if (seconds() > since + HANGS)
			die("unqueued: not all calls could be prepared");
		usleep(10000);
	}

	drain(fd);
	silence_host(device, true);
	if (full) {
		names[nr] = "transfer";
		pids[nr++] = start(fill_up());
		do {
			sent = shared->sent;
			usleep(300000);
		} while (shared->sent != sent || !sent);
	}
	set_state(SILENT);
	usleep(500000);
	if (shared->ended == nr - full)
		die("unqueued: no call waits for the host: this tests nothing");

	failed += !!wait_for(start(unbind()), "the driver", UNBIND_HANGS);
	for (i = 0; i < nr; i++)
		failed += !!wait_for(pids[i], names[i], UNBIND_HANGS);
	printf("unqueued: %s: %u calls ended\n", shared->what, nr);
	close(fd);
	silence_host(device, false);
	must_write(VIRTGPU_DRIVER "bind", device);

	return failed;
}

int main(int argc, char **argv)
{
	unsigned int failed;
	long before, lost;

	if (argc != 2)
		die("usage: unqueued alone|guessed|unbind|unbind-full");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (shared == MAP_FAILED)
		die_errno("mmap");
	/* Children do not print it once more. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	setpgid(0, 0);
	before = meminfo_kb("Shmem:");
	warnings = kernel_warnings();
	find_virtgpu(device, sizeof(device));

	setup();
	if (!strcmp(argv[1], "unbind") || !strcmp(argv[1], "unbind-full")) {
		failed = driver_goes(argv[1][6]);
	} else {
		guessed = !strcmp(argv[1], "guessed");
		failed = allocations_fail();
	}

	lost = shmem_lost_kb(before);
	printf("unqueued: %ld KiB lost\n", lost);
	if (lost > 512)
		die("unqueued: %ld KiB of shmem are lost", lost);
	if (kernel_warnings() != warnings)
		die("unqueued: the kernel warned");

	return failed > 0;
}
