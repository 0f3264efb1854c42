/* A host that loads the library as a plug-in, again and again: it uses up nothing of the process's. */
#include "host.h"

#include <dlfcn.h>
#include <pthread.h>

typedef RockerResult Enter(RockerRequest *, int (*)(void *), void *);
typedef RockerFailure Why(void);

int main(void) {
    for (int i = 0; i < 3000; i++) {
        void *library = dlopen("/run/librocker_ffi.so.1", RTLD_NOW);
        CHECK(library);
        Enter *enter;
        Why *why;
        /* As dlsym(3) has it: ISO C knows no way from an object pointer to a function's. */
        *(void **)&enter = dlsym(library, "ROCKER_enter_rocker");
        *(void **)&why = dlsym(library, "ROCKER_last_failure");
        CHECK(enter && why);
        CHECK(enter(NULL, NULL, NULL).err_no == ROCKER_ERR_param_invalid && why().stage == 81);
        CHECK(dlclose(library) == 0);
    }
    /* There are keys left for the host. */
    pthread_key_t key;
    CHECK(pthread_key_create(&key, NULL) == 0);
    puts("ok");
    return 0;
}
