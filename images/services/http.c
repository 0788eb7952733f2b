// A minimal HTTP/1.1 server and client over blocking sockets.
#define _GNU_SOURCE
#include "http.h"
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static void (*handler)(const struct request *, struct answer *);
static atomic_int in_flight;
static volatile sig_atomic_t told_to_end;

static void on_term(int signal) { told_to_end = signal; }

void say(struct answer *answer, int status, const char *format, ...) {
  va_list args;
  va_start(args, format);
  int length = vsnprintf(answer->body, sizeof answer->body, format, args);
  va_end(args);
  answer->status = status;
  answer->length = length < 0 ? 0 : length > MAX_BODY ? MAX_BODY : (size_t)length;
}

long number_from(const char *name, long otherwise) {
  const char *text = getenv(name);
  char *end;
  long number = text ? strtol(text, &end, 10) : 0;
  return text && *text && !*end ? number : otherwise;
}

static void limit_waiting(int connection, int ms) {
  struct timeval limit = {ms / 1000, (ms % 1000) * 1000};
  setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

static int send_all(int connection, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t sent = send(connection, bytes, length, MSG_NOSIGNAL);
    if (sent <= 0) return -1;
    bytes += sent, length -= (size_t)sent;
  }
  return 0;
}

static long content_length(const char *head) {
  const char *field = strcasestr(head, "\r\ncontent-length:");
  return field ? strtol(field + 17, 0, 10) : 0;
}

// Reads until head and body are complete; returns where the body begins, or -1.
static ssize_t receive(int connection, char *buffer, size_t room, size_t *total, int until_closed) {
  char *body = 0;
  *total = 0;
  for (;;) {
    ssize_t got = recv(connection, buffer + *total, room - 1 - *total, 0);
    if (got < 0) return -1;
    *total += (size_t)got;
    buffer[*total] = 0;
    if (!body && (body = strstr(buffer, "\r\n\r\n"))) body += 4;
    if (body && !until_closed && (long)(*total - (size_t)(body - buffer)) >= content_length(buffer)) return body - buffer;
    if (got == 0 || *total == room - 1) return body && until_closed ? body - buffer : -1;
  }
}

static int parse(const char *buffer, struct request *request) {
  char target[sizeof request->path + sizeof request->query];
  if (sscanf(buffer, "%7s %766s HTTP/1.", request->method, target) != 2) return -1;
  char *question = strchr(target, '?');
  if (question) *question++ = 0;
  if (strlen(target) >= sizeof request->path || (question && strlen(question) >= sizeof request->query)) return -1;
  strcpy(request->path, target);
  strcpy(request->query, question ? question : "");
  return 0;
}

static void respond(int connection, const struct answer *answer) {
  char head[160];
  const char *word = answer->status < 300 ? "OK" : answer->status < 500 ? "Not Possible" : "Failed";
  int length = snprintf(head, sizeof head, "HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
                        answer->status, word, answer->length);
  if (send_all(connection, head, (size_t)length) == 0) send_all(connection, answer->body, answer->length);
}

struct conversation {
  struct request request;
  struct answer answer;
  char buffer[MAX_BODY + 8192];
};

static void *converse(void *argument) {
  int connection = (int)(long)argument;
  struct conversation *talk = calloc(1, sizeof *talk);
  size_t total;
  ssize_t body = talk ? receive(connection, talk->buffer, sizeof talk->buffer, &total, 0) : -1;
  if (body >= 0 && total - (size_t)body <= MAX_BODY && parse(talk->buffer, &talk->request) == 0) {
    talk->request.length = total - (size_t)body;
    memcpy(talk->request.body, talk->buffer + body, talk->request.length);
    handler(&talk->request, &talk->answer);
    respond(connection, &talk->answer);
  }
  shutdown(connection, SHUT_WR);
  close(connection);
  free(talk);
  atomic_fetch_sub(&in_flight, 1);
  return 0;
}

static void start_conversation(int connection) {
  pthread_t thread;
  pthread_attr_t small;
  limit_waiting(connection, 10000);
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 256 * 1024);
  pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);
  atomic_fetch_add(&in_flight, 1);
  if (pthread_create(&thread, &small, converse, (void *)(long)connection) != 0) {
    close(connection);
    atomic_fetch_sub(&in_flight, 1);
  }
}

static long now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int serve(int port, int grace_ms, void (*handle)(const struct request *, struct answer *)) {
  struct sigaction ending = {.sa_handler = on_term};
  struct sockaddr_in anywhere = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
  int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
  handler = handle;
  sigaction(SIGTERM, &ending, 0);
  sigaction(SIGINT, &ending, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(listener, (struct sockaddr *)&anywhere, sizeof anywhere) != 0 || listen(listener, 512) != 0) {
    perror("cannot listen");
    return 1;
  }
  printf("listening on port %d\n", port);
  fflush(stdout);
  for (long end = 0; !end || now_ms() < end;) {
    struct pollfd wait = {.fd = listener, .events = POLLIN};
    if (told_to_end && !end) end = now_ms() + grace_ms;
    if (poll(&wait, 1, 100) == 1) {
      int connection = accept(listener, 0, 0);
      if (connection >= 0) start_conversation(connection);
    }
  }
  close(listener);
  for (int waited = 0; atomic_load(&in_flight) > 0 && waited < 10000; waited += 20) usleep(20000);
  puts("ended");
  return 0;
}

static int dial(const char *address, int timeout_ms) {
  char host[256];
  struct addrinfo wish = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found;
  const char *colon = strrchr(address, ':');
  size_t length = colon ? (size_t)(colon - address) : strlen(address);
  if (length >= sizeof host) return -1;
  memcpy(host, address, length);
  host[length] = 0;
  if (getaddrinfo(host, colon ? colon + 1 : "80", &wish, &found) != 0) return -1;
  int connection = socket(AF_INET, SOCK_STREAM, 0);
  limit_waiting(connection, timeout_ms);
  if (connect(connection, found->ai_addr, found->ai_addrlen) != 0) close(connection), connection = -1;
  freeaddrinfo(found);
  return connection;
}

int ask(const char *address, const char *method, const char *path, int timeout_ms, struct answer *answer) {
  char buffer[MAX_BODY + 8192], head[1024];
  size_t total;
  int connection = dial(address, timeout_ms), status = -1;
  if (connection < 0) return -1;
  int length = snprintf(head, sizeof head, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", method, path, address);
  if (length < (int)sizeof head && send_all(connection, head, (size_t)length) == 0) {
    ssize_t body = receive(connection, buffer, sizeof buffer, &total, 1);
    if (body >= 0 && sscanf(buffer, "HTTP/1.%*d %d", &status) == 1) {
      answer->status = status;
      answer->length = total - (size_t)body > MAX_BODY ? MAX_BODY : total - (size_t)body;
      memcpy(answer->body, buffer + body, answer->length);
      answer->body[answer->length] = 0;
    }
  }
  close(connection);
  return status;
}
