// Keeps namespaces open until a signal, and reaps zombie processes when it is init.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
  sigset_t awaited;
  int signal;
  sigemptyset(&awaited);
  sigaddset(&awaited, SIGTERM);
  sigaddset(&awaited, SIGINT);
  sigaddset(&awaited, SIGCHLD);
  sigprocmask(SIG_BLOCK, &awaited, 0);
  while (sigwait(&awaited, &signal) == 0 && signal == SIGCHLD)
    while (waitpid(-1, 0, WNOHANG) > 0)
      ;
  return 0;
}
