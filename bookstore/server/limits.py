"""Numbers for the server's main process, its workers and `manage.py serve`. Imports nothing of Django."""

# Requests of one worker, queued or running, each with a thread. The server has one thread more, which can always send
# a 503.
LARGEST_QUEUE = 256
# Connections of one worker, also idle ones. Beyond it the server does not accept the next.
MOST_CONNECTIONS = 4096
# Bytes of the read buffer of each connection. The block of all headers may have about twice as many (431).
BUFFER = 32_768
# Seconds that running requests have on SIGTERM, after DRAIN.
LAST_REQUESTS = 8

# Variables with the process id and the port of the main process, for its workers.
SERVER_PID, SERVER_PORT = "BOOKSTORE_SERVER_PID", "BOOKSTORE_SERVER_PORT"
