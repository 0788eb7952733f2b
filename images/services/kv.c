// A key-value service that stores each value in a file, on a volume.
// GET /keys  GET|PUT|DELETE /keys/NAME  POST /keys/NAME/increment  GET /healthz
#include "http.h"
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *folder;
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

static int is_key(const char *name) {
  size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
  return length > 0 && length <= 64 && name[length] == 0;
}

static ssize_t load(const char *key, char *value) {
  char path[600];
  snprintf(path, sizeof path, "%s/%s", folder, key);
  int file = open(path, O_RDONLY);
  if (file < 0) return -1;
  ssize_t length = read(file, value, MAX_BODY);
  close(file);
  value[length < 0 ? 0 : length] = 0;
  return length;
}

// Atomic: a crash leaves the old or the new value.
static int store(const char *key, const char *value, size_t length) {
  char path[600], draft[600];
  snprintf(path, sizeof path, "%s/%s", folder, key);
  snprintf(draft, sizeof draft, "%s/.%s", folder, key);
  int file = open(draft, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (file < 0) return -1;
  int written = write(file, value, length) == (ssize_t)length && fsync(file) == 0;
  close(file);
  return written && rename(draft, path) == 0 ? 0 : -1;
}

static void list(struct answer *answer) {
  DIR *entries = opendir(folder);
  answer->status = entries ? 200 : 500;
  for (struct dirent *entry; entries && (entry = readdir(entries));)
    if (is_key(entry->d_name) && answer->length + 70 < MAX_BODY)
      answer->length += (size_t)sprintf(answer->body + answer->length, "%s\n", entry->d_name);
  if (entries) closedir(entries);
}

static void increment(const char *key, struct answer *answer) {
  char value[MAX_BODY + 1] = "0", text[32];
  load(key, value);
  int length = snprintf(text, sizeof text, "%ld\n", strtol(value, 0, 10) + 1);
  if (store(key, text, (size_t)length) == 0) say(answer, 200, "%s", text);
  else say(answer, 500, "cannot write %s\n", key);
}

static void one_key(const struct request *request, const char *key, struct answer *answer) {
  char path[600];
  if (strcmp(request->method, "GET") == 0) {
    ssize_t length = load(key, answer->body);
    answer->status = 200, answer->length = (size_t)length;
    if (length < 0) say(answer, 404, "no such key: %s\n", key);
  } else if (strcmp(request->method, "PUT") == 0) {
    if (store(key, request->body, request->length) == 0) say(answer, 200, "stored\n");
    else say(answer, 500, "cannot write %s\n", key);
  } else if (strcmp(request->method, "DELETE") == 0) {
    snprintf(path, sizeof path, "%s/%s", folder, key);
    if (unlink(path) == 0) say(answer, 200, "deleted\n");
    else say(answer, 404, "no such key: %s\n", key);
  } else {
    say(answer, 405, "%s is not possible here\n", request->method);
  }
}

static void handle(const struct request *request, struct answer *answer) {
  char key[sizeof request->path];
  if (strcmp(request->path, "/healthz") == 0) return say(answer, 200, "ok\n");
  pthread_mutex_lock(&one_at_a_time);
  if (strcmp(request->path, "/keys") == 0) {
    list(answer);
  } else if (strncmp(request->path, "/keys/", 6) == 0) {
    strcpy(key, request->path + 6);
    char *slash = strchr(key, '/');
    int counts = slash && strcmp(slash, "/increment") == 0 && strcmp(request->method, "POST") == 0;
    if (counts) *slash = 0;
    if (!is_key(key)) say(answer, 400, "not a key: %s\n", key);
    else if (counts) increment(key, answer);
    else one_key(request, key, answer);
  } else {
    say(answer, 404, "no such page: %s\n", request->path);
  }
  pthread_mutex_unlock(&one_at_a_time);
}

int main(void) {
  folder = getenv("DATA_DIR") ? getenv("DATA_DIR") : "/data";
  if (access(folder, W_OK) != 0) return perror(folder), 1;
  return serve((int)number_from("PORT", 8080), (int)number_from("GRACE_MS", 1000), handle);
}
