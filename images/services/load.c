// A load generator: sends requests to one address at a constant rate and prints statistics every second.
// TARGET=http://host:port/path  RATE=requests a second  WORKERS=how many at once
#include "http.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char address[256], path[512];
static long interval_us;
static atomic_long answered, failed, waited_us;
static volatile sig_atomic_t told_to_end;

static void on_term(int signal) { told_to_end = signal; }

static long now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void *work(void *nothing) {
  struct answer *answer = calloc(1, sizeof *answer);
  for (long next = now_us(); answer && !told_to_end; next += interval_us) {
    long start = now_us();
    // A worker that is late does not catch up: the rate is a maximum.
    if (next < start) next = start;
    else usleep((useconds_t)(next - start)), start = now_us();
    int status = ask(address, "GET", path, 5000, answer);
    atomic_fetch_add(&waited_us, now_us() - start);
    atomic_fetch_add(status >= 200 && status < 400 ? &answered : &failed, 1);
  }
  free(answer);
  return nothing;
}

int main(void) {
  const char *target = getenv("TARGET") ? getenv("TARGET") : "http://web:8080/";
  long rate = number_from("RATE", 10), workers = number_from("WORKERS", 4), good = 0, bad = 0;
  struct sigaction ending = {.sa_handler = on_term};
  strcpy(path, "/");
  if (sscanf(target, "http://%255[^/]%511s", address, path) < 1 || rate < 1 || workers < 1 || workers > 256) {
    fprintf(stderr, "TARGET must be http://host:port/path, RATE at least 1, WORKERS from 1 to 256\n");
    return 64;
  }
  sigaction(SIGTERM, &ending, 0);
  sigaction(SIGINT, &ending, 0);
  interval_us = 1000000 * workers / rate;
  for (long i = 0; i < workers; i++) {
    pthread_t thread;
    if (pthread_create(&thread, 0, work, 0) == 0) pthread_detach(thread);
  }
  while (!told_to_end) {
    sleep(1);
    long ok = atomic_exchange(&answered, 0), no = atomic_exchange(&failed, 0), us = atomic_exchange(&waited_us, 0);
    good += ok, bad += no;
    printf("%ld answered, %ld failed, %.1f ms each\n", ok, no, ok + no ? (double)us / 1000.0 / (double)(ok + no) : 0.0);
    fflush(stdout);
  }
  printf("in all %ld answered, %ld failed\n", good, bad);
  return 0;
}
