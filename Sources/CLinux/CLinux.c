#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

int clinux_openat(int directory, const char *path, int flags, unsigned int mode) {
    return openat(directory, path, flags, mode);
}

int clinux_openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

int clinux_fcntl(int descriptor, int command, long argument) {
    return fcntl(descriptor, command, argument);
}

int clinux_renameat2(int from_directory, const char *from, int to_directory, const char *to, unsigned int flags) {
    return renameat2(from_directory, from, to_directory, to, flags);
}

int clinux_ficlone(int destination, int source) {
    return ioctl(destination, FICLONE, source);
}

ssize_t clinux_getdents64(int directory, void *buffer, size_t count) {
    return syscall(SYS_getdents64, directory, buffer, count);
}

int clinux_statx_btime(int directory, const char *path, int flags, int64_t *seconds, uint32_t *nanoseconds) {
    struct statx status;
    int result = statx(directory, path, flags, STATX_BTIME, &status);
    if (result != 0) return result;
    if (!(status.stx_mask & STATX_BTIME)) {
        errno = EOPNOTSUPP;
        return -1;
    }
    *seconds = status.stx_btime.tv_sec;
    *nanoseconds = status.stx_btime.tv_nsec;
    return 0;
}

int clinux_syncfs(int descriptor) {
    return syncfs(descriptor);
}

int clinux_start_writeback(int descriptor, int64_t offset, int64_t length) {
    return sync_file_range(descriptor, offset, length, SYNC_FILE_RANGE_WRITE);
}

int clinux_fallocate(int descriptor, int mode, int64_t offset, int64_t length) {
    return fallocate(descriptor, mode, offset, length);
}

ssize_t clinux_copy_file_range(int source, int64_t from, int destination, int64_t to, size_t count) {
    return copy_file_range(source, &from, destination, &to, count, 0);
}

void clinux_process_path(int descriptor, char *path) {
    snprintf(path, CLINUX_PROCESS_PATH_SIZE, "/proc/self/fd/%d", descriptor);
}

int clinux_fchmodat2(int directory, const char *path, unsigned int mode, int flags) {
    return (int)syscall(SYS_fchmodat2, directory, path, mode, flags);
}

ssize_t clinux_fgetxattr(int descriptor, const char *name, void *value, size_t size) {
    return fgetxattr(descriptor, name, value, size);
}

int clinux_fsetxattr(int descriptor, const char *name, const void *value, size_t size, int flags) {
    return fsetxattr(descriptor, name, value, size, flags);
}

int clinux_fremovexattr(int descriptor, const char *name) {
    return fremovexattr(descriptor, name);
}

ssize_t clinux_getxattr(const char *path, const char *name, void *value, size_t size) {
    return getxattr(path, name, value, size);
}

int clinux_setxattr(const char *path, const char *name, const void *value, size_t size, int flags) {
    return setxattr(path, name, value, size, flags);
}

int clinux_removexattr(const char *path, const char *name) {
    return removexattr(path, name);
}

ssize_t clinux_listxattr(const char *path, void *list, size_t size) {
    return listxattr(path, list, size);
}

int clinux_pipe2(int *ends, int flags) {
    return pipe2(ends, flags);
}

int clinux_umount2(const char *path, int flags) {
    return umount2(path, flags);
}

int clinux_socketpair(int *ends) {
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
}

static int place(struct sockaddr_un *address, const char *path) {
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address->sun_path) {
        errno = EINVAL;
        return -1;
    }
    strcpy(address->sun_path, path);
    return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
}

static int closing(int socket) {
    int error = errno;
    close(socket);
    errno = error;
    return -1;
}

int clinux_listen(const char *path) {
    struct sockaddr_un address;
    int socket = place(&address, path);
    if (socket < 0) return -1;
    // Nobody else may connect, not even before its permissions could be changed.
    if (fchmod(socket, 0600) == 0 && bind(socket, (struct sockaddr *)&address, sizeof address) == 0 && listen(socket, 16) == 0)
        return socket;
    return closing(socket);
}

int clinux_connect(const char *path) {
    struct sockaddr_un address;
    int socket = place(&address, path);
    if (socket < 0) return -1;
    return connect(socket, (struct sockaddr *)&address, sizeof address) == 0 ? socket : closing(socket);
}

int clinux_accept(int socket) {
    return accept4(socket, NULL, NULL, SOCK_CLOEXEC);
}

int clinux_peer(int socket, uint32_t *uid) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return -1;
    *uid = peer.uid;
    return 0;
}

ssize_t clinux_send(int socket, const void *bytes, size_t count) {
    return send(socket, bytes, count, MSG_NOSIGNAL);
}

ssize_t clinux_receive(int socket, void *bytes, size_t count) {
    ssize_t result = recv(socket, bytes, count, MSG_TRUNC);
    if (result > (ssize_t)count) {
        errno = EMSGSIZE;
        return -1;
    }
    return result;
}

int clinux_receive_descriptor(int socket) {
    char byte;
    struct iovec data = {.iov_base = &byte, .iov_len = 1};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof control.space};
    if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) < 0) return -1;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
        header->cmsg_len != CMSG_LEN(sizeof(int))) {
        errno = ENODATA;
        return -1;
    }
    int descriptor;
    __builtin_memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
    return descriptor;
}

int clinux_memfd(const char *name) {
    return memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

int clinux_seal_size(int descriptor) {
    return fcntl(descriptor, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW);
}

int clinux_ppoll(struct pollfd *requests, nfds_t count, const struct timespec *timeout, const sigset_t *mask) {
    return ppoll(requests, count, timeout, mask);
}

int clinux_sem_wait_until(sem_t *semaphore, const struct timespec *time) {
    return sem_clockwait(semaphore, CLOCK_MONOTONIC, time);
}

int clinux_read_only_tree(int directory, const char *path) {
    int tree = (int)syscall(SYS_open_tree, directory, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (tree < 0) return -1;
    struct mount_attr attributes = {
        .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOATIME, .attr_clr = MOUNT_ATTR__ATIME, .propagation = MS_PRIVATE};
    if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attributes, sizeof attributes) == 0) return tree;
    int error = errno;
    close(tree);
    errno = error;
    return -1;
}

int clinux_detached_tree(int descriptor, int read_only) {
    int tree = (int)syscall(SYS_open_tree, descriptor, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
    if (tree < 0) return -1;
    struct mount_attr attributes = {.attr_set = read_only ? MOUNT_ATTR_RDONLY : 0, .propagation = MS_PRIVATE};
    if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attributes, sizeof attributes) == 0) return tree;
    int error = errno;
    close(tree);
    errno = error;
    return -1;
}

int clinux_memory_tree(const char *size, const char *mode) {
    int context = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
    if (context < 0) return -1;
    int tree = -1;
    if (syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "size", size, 0) == 0 &&
        syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "mode", mode, 0) == 0 &&
        syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
        tree = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
    int error = errno;
    close(context);
    errno = error;
    return tree;
}

static int raise_capabilities(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
    if (syscall(SYS_capget, &header, sets) != 0) return -1;
    for (int index = 0; index < _LINUX_CAPABILITY_U32S_3; index++) sets[index].effective = sets[index].permitted;
    return (int)syscall(SYS_capset, &header, sets);
}

int clinux_begin_identity(uint32_t uid, uint32_t gid) {
    setfsgid(gid);
    setfsuid(uid);
    // Neither says whether it did anything; an id that is none asks for the present one.
    if ((uint32_t)setfsgid((gid_t)-1) == gid && (uint32_t)setfsuid((uid_t)-1) == uid && raise_capabilities() == 0)
        return 0;
    clinux_end_identity();
    errno = EINVAL;
    return -1;
}

void clinux_end_identity(void) {
    setfsuid(geteuid());
    setfsgid(getegid());
}

int clinux_file_handle(int descriptor, int *type, unsigned char *bytes) {
    union {
        struct file_handle handle;
        char room[sizeof(struct file_handle) + CLINUX_HANDLE_SIZE];
    } space;
    int mount;
    space.handle.handle_bytes = CLINUX_HANDLE_SIZE;
    if (name_to_handle_at(descriptor, "", &space.handle, &mount, AT_EMPTY_PATH) != 0) return -1;
    *type = space.handle.handle_type;
    memcpy(bytes, space.handle.f_handle, space.handle.handle_bytes);
    return (int)space.handle.handle_bytes;
}

int clinux_open_handle(int mount, int type, const unsigned char *bytes, unsigned int count, int flags) {
    union {
        struct file_handle handle;
        char room[sizeof(struct file_handle) + CLINUX_HANDLE_SIZE];
    } space;
    if (count > CLINUX_HANDLE_SIZE) {
        errno = EINVAL;
        return -1;
    }
    space.handle.handle_bytes = count;
    space.handle.handle_type = type;
    memcpy(space.handle.f_handle, bytes, count);
    return open_by_handle_at(mount, &space.handle, flags);
}

ssize_t clinux_append(int descriptor, const void *bytes, size_t count) {
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
    return pwritev2(descriptor, &part, 1, 0, RWF_APPEND);
}

int clinux_filesystem_type(int descriptor, uint64_t *type) {
    struct statfs status;
    if (fstatfs(descriptor, &status) != 0) return -1;
    *type = (uint64_t)status.f_type;
    return 0;
}

// Linux 6.9, include/uapi/linux/fuse.h; the headers of Debian 12 are older.
struct fuse_backing {
    int32_t descriptor;
    uint32_t flags;
    uint64_t padding;
};

int clinux_fuse_backing_open(int device, int descriptor) {
    struct fuse_backing backing = {.descriptor = descriptor};
    return ioctl(device, _IOW(229, 1, struct fuse_backing), &backing);
}

int clinux_fuse_backing_close(int device, int number) {
    uint32_t backing = (uint32_t)number;
    return ioctl(device, _IOW(229, 2, uint32_t), &backing);
}

static _Thread_local uint32_t fault_scope;

uint32_t clinux_fault_scope(void) {
    return fault_scope;
}

void clinux_set_fault_scope(uint32_t scope) {
    fault_scope = scope;
}

static _Thread_local struct clinux_thread_place thread_place;

struct clinux_thread_place clinux_thread_place(void) {
    return thread_place;
}

void clinux_set_thread_place(struct clinux_thread_place place) {
    thread_place = place;
}

_Static_assert(CLINUX_O_PATH == O_PATH && CLINUX_O_TMPFILE == O_TMPFILE, "open flags of this architecture");
_Static_assert(CLINUX_O_DIRECT == O_DIRECT && CLINUX_O_NOATIME == O_NOATIME, "open flags of this architecture");

uint32_t clinux_major(uint64_t device) {
    return major(device);
}

uint32_t clinux_minor(uint64_t device) {
    return minor(device);
}

uint64_t clinux_makedev(uint32_t major_number, uint32_t minor_number) {
    return makedev(major_number, minor_number);
}

const void *clinux_memmem(const void *bytes, size_t count, const void *wanted, size_t wanted_count) {
    return memmem(bytes, count, wanted, wanted_count);
}
