"""Whether an error says that temporary files cannot be written: the disk of TMPDIR is full, read-only, or not there."""

import errno
import tempfile

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
NOT_OURS = frozenset({errno.ENOENT, errno.EACCES})  # of a file elsewhere these are a bug


def has_no_room(error: OSError) -> bool:
    if error.errno in FULL:
        return True
    in_folder = error.filename is None or f"{error.filename}/".startswith(f"{tempfile.tempdir}/")
    return error.errno in NOT_OURS and in_folder
