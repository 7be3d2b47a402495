#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

const char *const *muster_environment(void) { return (const char *const *)environ; }

int muster_pipe(int32_t ends[2]) {
  if (pipe2(ends, O_CLOEXEC) < 0) return -1;
  return fcntl(ends[0], F_SETFL, O_NONBLOCK);
}

// Points at each string of a block of strings that end in NUL, one after the other.
static char **pointers_into(const char *block, size_t count) {
  char **list = malloc((count + 1) * sizeof(char *));
  if (list == NULL) return NULL;
  for (size_t index = 0; index < count; index++) {
    list[index] = (char *)block;
    block += strlen(block) + 1;
  }
  list[count] = NULL;
  return list;
}

struct report {
  int stage;
  int code;
};

// From here to exec, in a copy of a process with threads, only calls that POSIX names
// async-signal-safe are allowed: no malloc, no locks.
static _Noreturn void become(
    const struct muster_spawn_request *request, char **arguments, char **environment,
    int errors, pid_t parent) {
  int stage = MUSTER_SPAWN_SETUP;
  sigset_t none;
  struct sigaction standard = {.sa_handler = SIG_DFL};
  for (int number = 1; number < NSIG; number++) sigaction(number, &standard, NULL);

  // Above 2, so that wiring 0, 1 and 2 cannot close one of these.
  errors = fcntl(errors, F_DUPFD_CLOEXEC, 3);
  int out = request->output < 0 ? -1 : fcntl(request->output, F_DUPFD_CLOEXEC, 3);
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (errors < 0 || null < 0) goto failed;
  if (setpgid(0, 0) < 0 || dup2(null, 0) < 0) goto failed;
  if (out >= 0 && dup2(out, 1) < 0) goto failed;
  if (out >= 0 && request->joins_errors && dup2(out, 2) < 0) goto failed;
  if (request->parent_death_signal != 0) {
    if (prctl(PR_SET_PDEATHSIG, request->parent_death_signal) < 0) goto failed;
    // The parent may have died before the line above took hold.
    if (getppid() != parent) _exit(127);
  }
  // What the daemon opened is close-on-exec; this is for descriptors that it inherited itself.
  if (errors > 3) close_range(3, (unsigned)errors - 1, 0);
  close_range((unsigned)errors + 1, ~0U, 0);

  stage = MUSTER_SPAWN_DIRECTORY;
  if (request->directory != NULL && chdir(request->directory) < 0) goto failed;
  stage = MUSTER_SPAWN_EXEC;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  execve(request->program, arguments, environment);

failed:;
  struct report report = {.stage = stage, .code = errno};
  // Blocked, because the reader may have stopped waiting and SIGPIPE would hide the exit code.
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  ssize_t written = write(errors, &report, sizeof report);
  (void)written;
  _exit(127);
}

// Waits until the child has become the program (the pipe closes) or says why it could not.
// After a second it is taken to be on its way: a hung filesystem must not hang the daemon.
static struct report hear(int errors) {
  struct report report = {0, 0};
  struct pollfd waiting = {.fd = errors, .events = POLLIN};
  int ready;
  do ready = poll(&waiting, 1, 1000);
  while (ready < 0 && errno == EINTR);
  if (ready == 1 && read(errors, &report, sizeof report) != sizeof report) report.stage = 0;
  return report;
}

int muster_spawn(
    const struct muster_spawn_request *request, int32_t *process, int *pidfd, int *stage) {
  *stage = MUSTER_SPAWN_SETUP;
  int errors[2];
  if (pipe2(errors, O_CLOEXEC) < 0) return -1;
  char **arguments = pointers_into(request->arguments, request->argument_count);
  char **environment = pointers_into(request->environment, request->environment_count);
  int code = 0;
  pid_t child = -1;
  if (arguments == NULL || environment == NULL) {
    code = ENOMEM;
  } else {
    // Blocked over the fork: no handler of the daemon may run in the child.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t parent = getpid();
    child = fork();
    if (child == 0) become(request, arguments, environment, errors[1], parent);
    if (child < 0) code = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
  }
  free(arguments);
  free(environment);
  close(errors[1]);
  if (child > 0) {
    struct report report = hear(errors[0]);
    *stage = report.stage;
    code = report.code;
    // The child is not reaped yet, so its number cannot be another process.
    *pidfd = report.stage == 0 ? pidfd_open(child, 0) : -1;
    if (report.stage == 0 && *pidfd < 0) {
      code = errno;
      *stage = MUSTER_SPAWN_SETUP;
      kill(child, SIGKILL);
    }
    if (*pidfd < 0) {
      while (waitpid(child, NULL, 0) < 0 && errno == EINTR) continue;
    }
  }
  close(errors[0]);
  *process = child;
  errno = code;
  return *stage == 0 && code == 0 ? 0 : -1;
}

int muster_wait(int32_t process, int options, int *kind, int *status) {
  siginfo_t information = {0};
  int result = waitid(P_PID, (id_t)process, &information, WEXITED | options);
  if (result < 0) return -1;
  if (information.si_pid == 0) return 0;
  *kind = information.si_code == CLD_EXITED ? 0 : 1;
  *status = information.si_status;
  return 1;
}

int muster_wait_nohang(void) { return WNOHANG; }
int muster_wait_keep(void) { return WNOWAIT; }
