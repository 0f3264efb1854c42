/* What the two halves of the floor share: floor.c launches and measures, sandbox.c mounts. */
#define OVERLAYS 16

struct options {
	const char *package, *type, *exec_dir, *data_dir, *overlays[OVERLAYS], *cgroup;
	int overlay_count, uid, share_package, read_only, vfork, share_user, whole, move;
	unsigned long ballast;
	char program[512];
};

/* Written by guard and App, read by the parent. */
struct shared {
	long long start;
	/* Has the App started? A futex. */
	int started;
	int loop;
};

extern struct options options;
extern struct shared *shared;

void die(const char *what);
long long now(void);
/* The directories that the overlays need; once, before anything is measured. */
void make_layers(void);
/* One mount of the package that every launch binds. */
void mount_shared_package(void);
/* The mounts, and the propagation before them. */
void mount_all(void);
/* The same and /proc: all that the guard does before its user namespace. */
void build_sandbox(void);
