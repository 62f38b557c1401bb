#define FUSE_USE_VERSION 314
#include <fuse3/fuse_lowlevel.h>

// A macro in some builds of libfuse, a function in others; Swift sees only functions.
static inline int cfuse3_session_loop(struct fuse_session *session, struct fuse_loop_config *config) {
    return fuse_session_loop_mt(session, config);
}
