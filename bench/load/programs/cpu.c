// SPDX-License-Identifier: Apache-2.0
// CPU time of a set of processes.
#include <dirent.h>

#include "driver.h"

static uint64_t exact_ns(pid_t pid) {
    clockid_t clock;
    struct timespec t;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) != 0) return 0;
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t waited_ns(pid_t pid) {
    char path[400];
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR* tasks = opendir(path);
    if (tasks == NULL) return 0;
    uint64_t sum = 0;
    for (const struct dirent* task; (task = readdir(tasks)) != NULL;) {
        if (task->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", pid, task->d_name);
        FILE* file = fopen(path, "r");
        unsigned long long waited = 0;
        if (file == NULL) continue;
        if (fscanf(file, "%*s %llu", &waited) == 1) sum += waited;
        fclose(file);
    }
    closedir(tasks);
    return sum;
}

static void add_ticks(pid_t pid, struct cpu* sum) {
    char text[1024];
    snprintf(text, sizeof text, "/proc/%d/stat", pid);
    FILE* file = fopen(text, "r");
    if (file == NULL) return;
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    const char* after_name = strrchr(text, ')');
    unsigned long long user = 0, system = 0;
    if (after_name != NULL &&
        sscanf(after_name + 1, "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu %llu", &user,
               &system) == 2) {
        sum->user_ticks += user;
        sum->system_ticks += system;
    }
}

struct cpu cpu_of(const char* pids) {
    struct cpu sum = {0};
    while (*pids != '\0') {
        char* end;
        const pid_t pid = (pid_t)strtol(pids, &end, 10);
        sum.used_ns += exact_ns(pid);
        sum.waited_ns += waited_ns(pid);
        add_ticks(pid, &sum);
        pids = *end == ',' ? end + 1 : end;
        if (end == pids) break;
    }
    return sum;
}
