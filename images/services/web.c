// A web service that returns its host name and version, and counts visits in the key-value service.
// GET /  GET /version  GET /healthz  GET /burn?ms=N (spends N ms of processor time, for autoscaling)
#include "http.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char host[256];
static const char *version, *kv;

static long processor_ms(void) {
  struct timespec spent;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
  return spent.tv_sec * 1000 + spent.tv_nsec / 1000000;
}

static void burn(long ms) {
  volatile double x = 1;
  for (long end = processor_ms() + ms; processor_ms() < end;)
    for (int i = 0; i < 10000; i++) x = x * 1.0000001 + 0.1;
}

static void greet(struct answer *answer) {
  struct answer *count = calloc(1, sizeof *count);
  int status = count ? ask(kv, "POST", "/keys/hits/increment", 1000, count) : -1;
  if (status == 200)
    say(answer, 200, "Hello from %s, version %s. Visits: %s\n", host, version, strtok(count->body, "\n"));
  else
    say(answer, 200, "Hello from %s, version %s. Visits: unknown, no answer from %s\n", host, version, kv);
  free(count);
}

static void handle(const struct request *request, struct answer *answer) {
  long ms = strncmp(request->query, "ms=", 3) == 0 ? strtol(request->query + 3, 0, 10) : 100;
  if (strcmp(request->path, "/") == 0) {
    greet(answer);
  } else if (strcmp(request->path, "/healthz") == 0) {
    say(answer, 200, "ok\n");
  } else if (strcmp(request->path, "/version") == 0) {
    say(answer, 200, "%s\n", version);
  } else if (strcmp(request->path, "/burn") == 0 && ms >= 0 && ms <= 10000) {
    burn(ms);
    say(answer, 200, "%s spent %ld ms\n", host, ms);
  } else {
    say(answer, 404, "no such page: %s\n", request->path);
  }
}

int main(void) {
  gethostname(host, sizeof host - 1);
  version = getenv("VERSION") ? getenv("VERSION") : "0";
  kv = getenv("KV_ADDRESS") ? getenv("KV_ADDRESS") : "kv:8080";
  return serve((int)number_from("PORT", 8080), (int)number_from("GRACE_MS", 1000), handle);
}
