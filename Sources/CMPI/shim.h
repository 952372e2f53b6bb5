#pragma once
#include <mpi.h>
#include <signal.h>
#include <sys/prctl.h>

/* Swift does not see MPI's constants, which are macros with casts, nor functions with a variable
   number of arguments. */

static inline MPI_Comm sami_mpi_world(void) { return MPI_COMM_WORLD; }
static inline int sami_mpi_one_thread(void) { return MPI_THREAD_FUNNELED; }
static inline int sami_mpi_one_host(void) { return MPI_COMM_TYPE_SHARED; }
static inline MPI_Comm sami_mpi_no_comm(void) { return MPI_COMM_NULL; }
static inline MPI_Request sami_mpi_no_request(void) { return MPI_REQUEST_NULL; }
static inline MPI_Datatype sami_mpi_int(void) { return MPI_INT; }
static inline MPI_Op sami_mpi_sum(void) { return MPI_SUM; }
static inline MPI_Info sami_mpi_no_info(void) { return MPI_INFO_NULL; }

static inline int sami_mpi_send_start(
    const void *bytes, int count, int target, int tag, MPI_Comm comm, MPI_Request *request) {
    return MPI_Isend(bytes, count, MPI_BYTE, target, tag, comm, request);
}

static inline int sami_mpi_receive_start(
    void *bytes, int count, int source, int tag, MPI_Comm comm, MPI_Request *request) {
    return MPI_Irecv(bytes, count, MPI_BYTE, source, tag, comm, request);
}

static inline int sami_mpi_test(MPI_Request *request, int *done) {
    return MPI_Test(request, done, MPI_STATUS_IGNORE);
}

/* Whether a message waits: its source, tag and length in bytes. */
static inline int sami_mpi_probe(
    int source, int tag, MPI_Comm comm, int *found, int *from, int *with_tag, int *count) {
    MPI_Status status;
    int code = MPI_Iprobe(
        source < 0 ? MPI_ANY_SOURCE : source, tag < 0 ? MPI_ANY_TAG : tag, comm, found, &status);
    if (code == MPI_SUCCESS && *found) {
        *from = status.MPI_SOURCE;
        *with_tag = status.MPI_TAG;
        code = MPI_Get_count(&status, MPI_BYTE, count);
    }
    return code;
}

/* A process dies with the one that started it, however that ends. */
static inline int sami_die_with_parent(void) { return prctl(PR_SET_PDEATHSIG, SIGKILL); }
