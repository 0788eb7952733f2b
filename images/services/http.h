// A minimal HTTP/1.1 server and client: one request per connection, one thread per connection, graceful shutdown.
#pragma once
#include <stddef.h>

enum { MAX_BODY = 65536 };

struct request {
  char method[8];
  char path[512];
  char query[256];
  char body[MAX_BODY + 1];
  size_t length;
};

struct answer {
  int status;
  char body[MAX_BODY + 1];
  size_t length;
};

// Serves requests on a port until SIGTERM, then for `grace_ms` more, until clients have stopped using this address.
int serve(int port, int grace_ms, void (*handle)(const struct request *, struct answer *));

// Sends a request; returns the status, or -1 when there was no response in time.
int ask(const char *address, const char *method, const char *path, int timeout_ms, struct answer *answer);

// Formats a response like printf.
void say(struct answer *answer, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));

// A number from the environment, or a default when it is missing or invalid.
long number_from(const char *name, long otherwise);
