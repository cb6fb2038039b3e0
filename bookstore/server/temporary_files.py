"""Whether an error says that temporary files cannot be written: the disk of TMPDIR is full, read-only, or not there."""

import errno

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.ENOENT})


def has_no_room(error: OSError) -> bool:
    return error.errno in NO_ROOM
