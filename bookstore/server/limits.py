"""Numbers that the server's main process, its workers and `manage.py serve` share. Nothing here asks Django."""

# Requests of one worker that may be here at once, queued or running, with a thread each. The server has one thread
# more than that, so that one is always free to say 503.
LARGEST_QUEUE = 256
# Connections of one worker, idle ones too. Beyond it the server leaves the next client unanswered.
MOST_CONNECTIONS = 4096
# Bytes. The block of all headers may be about twice that (431); so much is read ahead of a body, in memory, for each
# connection.
BUFFER = 32_768
# Seconds that requests under way have on SIGTERM, after DRAIN.
LAST_REQUESTS = 8

# Variables by which the main process tells its workers its process id and its port.
SERVER_PID, SERVER_PORT = "BOOKSTORE_SERVER_PID", "BOOKSTORE_SERVER_PORT"
