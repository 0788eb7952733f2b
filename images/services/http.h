// Just enough HTTP for the examples: one request a connection, a thread for each, and a polite end.
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

// Answers requests on a port until SIGTERM, then goes on for `grace_ms` for those who have not heard yet.
int serve(int port, int grace_ms, void (*handle)(const struct request *, struct answer *));

// Asks another service; returns the status, or -1 when there was no answer within the time.
int ask(const char *address, const char *method, const char *path, int timeout_ms, struct answer *answer);

// Fills an answer the way printf does.
void say(struct answer *answer, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));

// A number from the environment, or what to take when it is missing or not one.
long number_from(const char *name, long otherwise);
