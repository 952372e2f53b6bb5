#pragma once

// On which processor a thread runs. After a pause the system may wake a helper on the caller's
// processor and leave it there for some fifty milliseconds while another one is idle; in that time
// two threads are as fast as one.

#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>

/// Moves the calling thread to another processor that it may use, if there is one; afterwards it
/// may be moved as before.
static inline void leaveProcessor(int processor) {
    enum { bits = 8 * sizeof(unsigned long), words = 128 };
    unsigned long allowed[words] = {0}, others[words];
    if (processor < 0 || processor >= words * bits) return;
    if (syscall(SYS_sched_getaffinity, 0, sizeof allowed, allowed) < 0) return;
    unsigned long some = 0;
    for (int i = 0; i < words; i++) {
        others[i] = allowed[i];
        if (i == processor / bits) others[i] &= ~(1ul << processor % bits);
        some |= others[i];
    }
    if (!some || syscall(SYS_sched_setaffinity, 0, sizeof others, others) < 0) return;
    syscall(SYS_sched_setaffinity, 0, sizeof allowed, allowed);
}

extern int sched_getcpu(void);

/// The processor that the calling thread runs on; -1 if the system does not say.
static inline int currentProcessor(void) { return sched_getcpu(); }
#else
static inline void leaveProcessor(int processor) {}
static inline int currentProcessor(void) { return -1; }
#endif
