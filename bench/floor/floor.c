/* The floor: what the kernel alone takes for one sandbox. No daemon, no checks, paths taken as they come, the fewest
 * system calls. Everything of ours that launches is measured as a ratio to this, in the same run.
 *
 * It reads one letter per launch from standard input and answers with one line of three numbers, in nanoseconds: call to
 * the App's first instruction (with -v, which executes a program: to the return of vfork), call to the App's end (0 if it
 * stays), kill to everything gone (0 if it is kept).
 *   e  the App executes `busybox true` from the package
 *   p  the App waits until its guard is killed
 *   k  as p, and it is kept
 */
#define _GNU_SOURCE
#include "floor.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct options options = { .type = "squashfs", .uid = 1000 };
struct shared *shared;
/* Where a launch finds the package's mount that stays, the pid namespace to return to, and a user namespace to share. */
static int own_pid_ns, shared_user_ns = -1, cgroup_fd = -1;

void die(const char *what)
{
	fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
	_exit(1);
}

long long now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void put(int pid, const char *file, const char *text)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die(path);
	close(fd);
}

static void write_maps(int pid)
{
	char map[48];
	snprintf(map, sizeof map, "%d %d 1\n", options.uid, options.uid);
	put(pid, "setgroups", "deny");
	put(pid, "gid_map", map);
	put(pid, "uid_map", map);
}

static __attribute__((noinline)) int namespace_of(int pid, const char *kind)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/ns/%s", pid, kind);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die(path);
	return fd;
}

static int clone_into(unsigned long namespaces)
{
	int pid = syscall(SYS_clone, namespaces | SIGCHLD, 0, 0, 0, 0);
	if (pid < 0)
		die("clone");
	return pid;
}

/* Born there, with all that it makes; or moved there, for which the kernel waits until every processor has passed by. */
static int clone_into_cgroup(unsigned long namespaces)
{
	struct clone_args args = { .flags = namespaces, .exit_signal = SIGCHLD };
	char number[16];
	if (!options.move) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = cgroup_fd;
	}
	int pid = syscall(SYS_clone3, &args, sizeof args);
	if (pid > 0 && options.move) {
		int file = openat(cgroup_fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
		if (write(file, number, snprintf(number, sizeof number, "%d", pid)) < 0)
			die("cgroup.procs");
		close(file);
	}
	if (pid < 0)
		die("clone3");
	return pid;
}

static int make_guard(void)
{
	int talk[2];
	char byte;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, talk))
		die("socketpair");
	int pid = options.cgroup ? clone_into_cgroup(CLONE_NEWNS | CLONE_NEWPID) : clone_into(CLONE_NEWNS | CLONE_NEWPID);
	if (pid == 0) {
		build_sandbox();
		if (!options.share_user && unshare(CLONE_NEWUSER))
			die("unshare");
		if (write(talk[1], "", 1) != 1)
			die("write");
		for (;;)
			pause();
	}
	close(talk[1]);
	if (read(talk[0], &byte, 1) != 1)
		die("the guard ended");
	close(talk[0]);
	if (!options.share_user)
		write_maps(pid);
	return pid;
}

static void say_started(void)
{
	shared->start = now();
	__atomic_store_n(&shared->started, 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, &shared->started, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* Asleep: on a single processor a loop of sched_yield may keep the App from running for a quarter of a second (6.1). */
static void wait_until_started(void)
{
	while (!__atomic_load_n(&shared->started, __ATOMIC_ACQUIRE))
		syscall(SYS_futex, &shared->started, FUTEX_WAIT, 0, NULL, NULL, 0);
}

/* In the new process. By bare system calls, because with -v it shares the parent's memory. */
static void run_app(int mnt, int user, char letter)
{
	static char *const ends[] = { "busybox", "true", NULL }, *const stays[] = { "busybox", "sleep", "9999", NULL };
	if (setns(mnt, CLONE_NEWNS) || setns(user, CLONE_NEWUSER) ||
	    syscall(SYS_setresgid, options.uid, options.uid, options.uid) ||
	    syscall(SYS_setresuid, options.uid, options.uid, options.uid))
		_exit(126);
	if (!options.vfork)
		say_started();
	if (letter == 'e' || options.vfork) {
		execve(options.program, letter == 'e' ? ends : stays, environ);
		_exit(127);
	}
	for (;;)
		pause();
}

static int make_app(int guard, char letter)
{
	int mnt = namespace_of(guard, "mnt"), pid_ns = namespace_of(guard, "pid");
	int user = options.share_user ? shared_user_ns : namespace_of(guard, "user");
	if (setns(pid_ns, CLONE_NEWPID))
		die("setns");
	int app = options.vfork ? vfork() : (int)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (app == 0)
		run_app(mnt, user, letter);
	if (options.vfork)
		say_started();
	if (app < 0 || setns(own_pid_ns, CLONE_NEWPID))
		die("fork");
	close(mnt);
	close(pid_ns);
	if (!options.share_user)
		close(user);
	return app;
}

/* The kernel takes the loop device back when the last user of the mount has gone; sysfs says when. */
static void wait_for_loop_device(void)
{
	char path[64];
	snprintf(path, sizeof path, "/sys/block/loop%d/loop/backing_file", shared->loop);
	while (shared->loop >= 0 && access(path, F_OK) == 0)
		sched_yield();
}

static void launch(char letter)
{
	long long done = 0, gone = 0, start = now();
	int status = 0;
	shared->started = 0;
	shared->loop = -1;
	int guard = make_guard();
	int app = make_app(guard, letter);
	if (letter == 'e') {
		waitpid(app, &status, 0);
		done = now() - start;
		if (status != 0) {
			errno = WEXITSTATUS(status);
			die("the App");
		}
	}
	wait_until_started();
	if (letter != 'k') {
		gone = now();
		kill(guard, SIGKILL);
		if (letter == 'p')
			waitpid(app, &status, 0);
		waitpid(guard, &status, 0);
		wait_for_loop_device();
		gone = now() - gone;
	}
	printf("%lld %lld %lld\n", shared->start - start, done, gone);
	fflush(stdout);
}

/* A user namespace that outlives every launch. */
static void make_shared_user_ns(void)
{
	int pid = clone_into(CLONE_NEWUSER);
	if (pid == 0)
		for (;;)
			pause();
	write_maps(pid);
	shared_user_ns = namespace_of(pid, "user");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void parse(int argc, char **argv)
{
	for (int option; (option = getopt(argc, argv, "+p:t:x:d:o:b:g:msrvuw")) != -1;)
		switch (option) {
		case 'p': options.package = optarg; break;
		case 't': options.type = optarg; break;
		case 'x': options.exec_dir = optarg; break;
		case 'd': options.data_dir = optarg; break;
		case 'o': options.overlays[options.overlay_count++ % OVERLAYS] = optarg; break;
		case 'b': options.ballast = strtoul(optarg, NULL, 10) << 20; break;
		case 'g': options.cgroup = optarg; break;
		case 'm': options.move = 1; break;
		case 's': options.share_package = 1; break;
		case 'r': options.read_only = 1; break;
		case 'v': options.vfork = 1; break;
		case 'u': options.share_user = 1; break;
		case 'w': options.whole = 1; break;
		default: _exit(2);
		}
	snprintf(options.program, sizeof options.program, "%s/busybox", options.exec_dir);
}

int main(int argc, char **argv)
{
	char letter;
	parse(argc, argv);
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (options.ballast)
		memset(malloc(options.ballast), 1, options.ballast);
	make_layers();
	if (options.whole) {
		/* What a peer that cannot mount packages or overlays itself has done for it; then the peer. */
		if (unshare(CLONE_NEWNS))
			die("unshare");
		mount_all();
		execvp(argv[optind], argv + optind);
		die(argv[optind]);
	}
	if (options.cgroup && (cgroup_fd = open(options.cgroup, O_DIRECTORY | O_CLOEXEC)) < 0)
		die(options.cgroup);
	own_pid_ns = namespace_of(getpid(), "pid");
	if (options.share_user)
		make_shared_user_ns();
	if (options.share_package) {
		/* The mount ends with this process. */
		if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
			die("unshare");
		mount_shared_package();
	}
	while (read(0, &letter, 1) == 1)
		launch(letter);
	return 0;
}
