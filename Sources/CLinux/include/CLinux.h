// Linux calls and constants that Glibc's Swift module lacks: variadic calls, calls
// without a libc wrapper, and macros Swift cannot import. Each returns what the call
// returns and sets errno; no policy lives here.
#ifndef LAMINA_CLINUX_H
#define LAMINA_CLINUX_H

#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

int clinux_openat(int directory, const char *path, int flags, unsigned int mode);
int clinux_openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);
int clinux_fcntl(int descriptor, int command, long argument);
int clinux_renameat2(int from_directory, const char *from, int to_directory, const char *to, unsigned int flags);
int clinux_ficlone(int destination, int source);
ssize_t clinux_getdents64(int directory, void *buffer, size_t count);
int clinux_statx_btime(int directory, const char *path, int flags, int64_t *seconds, uint32_t *nanoseconds);
int clinux_syncfs(int descriptor);
int clinux_start_writeback(int descriptor, int64_t offset, int64_t length);
int clinux_fallocate(int descriptor, int mode, int64_t offset, int64_t length);
ssize_t clinux_copy_file_range(int source, int64_t from, int destination, int64_t to, size_t count);
// `/proc/self/fd/N`; `path` has room for CLINUX_PROCESS_PATH_SIZE bytes.
void clinux_process_path(int descriptor, char *path);
// fchmodat2(2), Linux 6.6.
int clinux_fchmodat2(int directory, const char *path, unsigned int mode, int flags);
ssize_t clinux_fgetxattr(int descriptor, const char *name, void *value, size_t size);
int clinux_fsetxattr(int descriptor, const char *name, const void *value, size_t size, int flags);
int clinux_fremovexattr(int descriptor, const char *name);
ssize_t clinux_getxattr(const char *path, const char *name, void *value, size_t size);
int clinux_setxattr(const char *path, const char *name, const void *value, size_t size, int flags);
int clinux_removexattr(const char *path, const char *name);
ssize_t clinux_listxattr(const char *path, void *list, size_t size);
int clinux_pipe2(int *ends, int flags);
int clinux_umount2(const char *path, int flags);
const void *clinux_memmem(const void *bytes, size_t count, const void *wanted, size_t wanted_count);
int clinux_socketpair(int *ends);
// The descriptor that comes with the next message on a socket; ENODATA when none comes.
int clinux_receive_descriptor(int socket);
// Sockets of messages (SOCK_SEQPACKET) at a path: one that waits for connections, and a connection. EINVAL for
// a path that no socket address holds.
int clinux_listen(const char *path);
int clinux_connect(const char *path);
int clinux_accept(int socket);
// Who is at the other end.
int clinux_peer(int socket, uint32_t *uid);
ssize_t clinux_send(int socket, const void *bytes, size_t count);
// The whole next message; EMSGSIZE for one that is longer.
ssize_t clinux_receive(int socket, void *bytes, size_t count);
// memfd_create(2) of a file whose size can be sealed, and the sealing.
int clinux_memfd(const char *name);
int clinux_seal_size(int descriptor);

// ppoll(2): poll with another signal mask.
int clinux_ppoll(struct pollfd *requests, nfds_t count, const struct timespec *timeout, const sigset_t *mask);

// A detached mount of the directory `path` below `directory` that refuses all writing, as a
// descriptor (open_tree(2), mount_setattr(2); Linux 5.12). It ends with its last user.
int clinux_read_only_tree(int directory, const char *path);
// A detached mount of what `descriptor` is, without the mounts beneath it; with `read_only` it refuses
// all writing.
int clinux_detached_tree(int descriptor, int read_only);
// A tmpfs that is mounted nowhere (fsopen(2), fsmount(2)), as a descriptor of its root. Texts as mount(8)
// takes them.
int clinux_memory_tree(const char *size, const char *mode);
// Gives what this thread makes the owner `uid` and `gid` (setfsuid(2)), with all capabilities that it may
// have in effect. -1 with EINVAL when the kernel takes one of the ids for none.
int clinux_begin_identity(uint32_t uid, uint32_t gid);
// Back to the process's own ids.
void clinux_end_identity(void);
// name_to_handle_at(2) of an open file. `bytes` has room for CLINUX_HANDLE_SIZE; returns how many count.
int clinux_file_handle(int descriptor, int *type, unsigned char *bytes);
// open_by_handle_at(2); `mount` is an open file of the filesystem, and no O_PATH one.
int clinux_open_handle(int mount, int type, const unsigned char *bytes, unsigned int count, int flags);
// pwritev2(2) with RWF_APPEND.
ssize_t clinux_append(int descriptor, const void *bytes, size_t count);
// f_type of statfs(2).
int clinux_filesystem_type(int descriptor, uint64_t *type);

// FUSE_DEV_IOC_BACKING_OPEN and _CLOSE (Linux 6.9). Open returns a number above 0.
int clinux_fuse_backing_open(int device, int descriptor);
int clinux_fuse_backing_close(int device, int number);

// sem_clockwait(3) by the clock that nobody sets.
int clinux_sem_wait_until(sem_t *semaphore, const struct timespec *time);

// A number that each thread keeps for itself, 0 at first.
uint32_t clinux_fault_scope(void);
void clinux_set_fault_scope(uint32_t scope);

// A place that each thread keeps for itself, and whose it is; 0 and null at first.
struct clinux_thread_place {
    uint64_t owner;
    void *place;
};
struct clinux_thread_place clinux_thread_place(void);
void clinux_set_thread_place(struct clinux_thread_place place);

uint32_t clinux_major(uint64_t device);
uint32_t clinux_minor(uint64_t device);
uint64_t clinux_makedev(uint32_t major, uint32_t minor);

enum {
    CLINUX_HANDLE_SIZE = 128,
    CLINUX_PROCESS_PATH_SIZE = 32,
    CLINUX_O_PATH = 010000000,
    CLINUX_O_TMPFILE = 020200000,
    CLINUX_O_DIRECT = 040000,
    CLINUX_O_NOATIME = 01000000,
    CLINUX_AT_EMPTY_PATH = 0x1000,
    CLINUX_RENAME_NOREPLACE = 1,
    CLINUX_RENAME_EXCHANGE = 2,
    CLINUX_RENAME_WHITEOUT = 4,
    CLINUX_SEEK_DATA = 3,
    CLINUX_SEEK_HOLE = 4,
};

enum {
    CLINUX_RESOLVE_NO_XDEV = 0x01,
    CLINUX_RESOLVE_NO_MAGICLINKS = 0x02,
    CLINUX_RESOLVE_NO_SYMLINKS = 0x04,
    CLINUX_RESOLVE_BENEATH = 0x08,
    CLINUX_RESOLVE_IN_ROOT = 0x10,
};

#endif
