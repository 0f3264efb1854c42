/* The mounts of the floor's sandbox. */
#define _GNU_SOURCE
#include "floor.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where the mount that stays is; below the data directory, like everything that a launch needs. */
static char shared_package[512];

static void make(const char *format, int overlay)
{
	char path[512];
	snprintf(path, sizeof path, format, options.data_dir, overlay);
	if (mkdir(path, 0755) && errno != EEXIST)
		die(path);
}

void make_layers(void)
{
	make("%s", 0);
	make("%s/empty", 0);
	snprintf(shared_package, sizeof shared_package, "%s/package", options.data_dir);
	make("%s/package", 0);
	for (int i = 0; i < options.overlay_count; i++) {
		make("%s/%d", i);
		make("%s/%d/upper", i);
		make("%s/%d/work", i);
	}
}

static void mount_loop(const char *target)
{
	char device[32];
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), file = open(options.package, O_RDONLY | O_CLOEXEC), loop;
	if (control < 0 || file < 0)
		die("open");
	struct loop_config config = { .fd = file, .info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR };
	/* Between the two calls somebody else may take the device. */
	do {
		shared->loop = ioctl(control, LOOP_CTL_GET_FREE);
		snprintf(device, sizeof device, "/dev/loop%d", shared->loop);
		loop = open(device, O_RDONLY | O_CLOEXEC);
		if (loop >= 0 && ioctl(loop, LOOP_CONFIGURE, &config) == 0)
			break;
		close(loop);
	} while (errno == EBUSY);
	if (mount(device, target, options.type, MS_RDONLY | MS_NOSUID | MS_NODEV, NULL))
		die("mount of the package");
	close(loop);
	close(file);
	close(control);
}

static void mount_package(const char *target)
{
	if (strcmp(options.type, "erofs"))
		mount_loop(target);
	else if (mount(options.package, target, "erofs", MS_RDONLY | MS_NOSUID | MS_NODEV, NULL))
		die("mount of the package");
}

void mount_shared_package(void)
{
	mount_package(shared_package);
}

static void mount_overlay(int i)
{
	char data[2048];
	const char *dir = options.data_dir;
	if (options.read_only)
		snprintf(data, sizeof data, "lowerdir=%s:%s/empty", options.overlays[i], dir);
	else
		snprintf(data, sizeof data, "lowerdir=%s,upperdir=%s/%d/upper,workdir=%s/%d/work", options.overlays[i], dir, i, dir, i);
	if (mount("floor", options.overlays[i], "overlay", MS_NOSUID | MS_NODEV, data))
		die("mount of an overlay");
}

void mount_all(void)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		die("propagation");
	for (int i = 0; i < options.overlay_count; i++)
		mount_overlay(i);
	if (!options.share_package)
		mount_package(options.exec_dir);
	else if (mount(shared_package, options.exec_dir, NULL, MS_BIND, NULL))
		die("bind of the package");
}

void build_sandbox(void)
{
	mount_all();
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL))
		die("/proc");
}
