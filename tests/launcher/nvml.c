/* A stand-in for NVIDIA's management library, for tests: one GPU whose state is read from the file $NVML_STUB
 * at each initialisation. Lines: "init CODE", "hang", "crash", "memory TOTAL FREE", "process PID BYTES". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct { unsigned pid; unsigned long long memory; unsigned instance, compute; } process_t;

static process_t processes[64];
static unsigned count;
static unsigned long long total = 80000000000ULL, available = 70000000000ULL;

int nvmlInit_v2(void) {
    FILE *file = fopen(getenv("NVML_STUB") ? getenv("NVML_STUB") : "/dev/null", "r");
    char line[200];
    int code = 0;
    count = 0;
    while (file && fgets(line, sizeof line, file)) {
        sscanf(line, "init %d", &code);
        sscanf(line, "memory %llu %llu", &total, &available);
        if (sscanf(line, "process %u %llu", &processes[count].pid, &processes[count].memory) == 2) count++;
        if (!strncmp(line, "hang", 4)) for (;;) sleep(600);
        if (!strncmp(line, "crash", 5)) abort();
    }
    if (file) fclose(file);
    return code;
}

int nvmlSystemGetDriverVersion(char *text, unsigned size) { return snprintf(text, size, "999.1") < 0; }
int nvmlDeviceGetCount_v2(unsigned *number) { *number = 1; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device) { *device = processes; return index != 0; }
int nvmlDeviceGetName(void *device, char *text, unsigned size) { return snprintf(text, size, "Stub GPU") < 0; }

int nvmlDeviceGetMemoryInfo(void *device, unsigned long long *memory) {
    memory[0] = total, memory[1] = available, memory[2] = total - available;
    return 0;
}

int nvmlDeviceGetComputeRunningProcesses_v3(void *device, unsigned *number, process_t *out) {
    unsigned room = *number;
    *number = count;
    if (room < count) return 7;
    memcpy(out, processes, count * sizeof *out);
    return 0;
}
