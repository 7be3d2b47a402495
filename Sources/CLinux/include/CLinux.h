// What Glibc's module does not show to Swift, as a small C interface.
//
// _GNU_SOURCE is defined in the .c file only: in a header it makes two modules disagree
// about fd_set and the build fails.
#ifndef MUSTER_CLINUX_H
#define MUSTER_CLINUX_H

#include "sha256.h"
#include "udp.h"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <stddef.h>
#include <stdint.h>

// epoll_event holds a union, which Swift cannot check: these pass descriptors only.
int muster_epoll_set(int epoll, int operation, int descriptor, uint32_t events);
// Fills `descriptors` with what is ready; at most 64. Returns their number, or -1.
int muster_epoll_wait(int epoll, int32_t descriptors[64], int milliseconds);

// A program to start in a process of its own. Strings of `arguments` and `environment` stand one
// after the other, each with its NUL.
struct muster_spawn_request {
  const char *program;
  const char *arguments;
  size_t argument_count;
  const char *environment;
  size_t environment_count;
  // NULL: where the daemon is.
  const char *directory;
  // Becomes standard output; -1: the daemon's own.
  int output;
  // Whether standard error goes to `output`, too.
  int joins_errors;
  // Sent to the child when the thread that called dies; 0: none.
  int parent_death_signal;
};

enum { MUSTER_SPAWN_SETUP = 1, MUSTER_SPAWN_DIRECTORY = 2, MUSTER_SPAWN_EXEC = 3 };

// Forks and becomes the program, in a process group of its own, with standard input from
// /dev/null, default signals, and no other descriptor. Returns 0 once the program runs; otherwise
// -1 with errno, `stage` says what failed, and nothing is left behind.
int muster_spawn(
    const struct muster_spawn_request *request, int32_t *process, int *pidfd, int *stage);

// waitid for one child: 1 when it has ended (`kind` 0: exited, 1: ended by a signal), 0 when not
// yet, -1 with errno. siginfo_t holds a union, which Swift cannot check.
int muster_wait(int32_t process, int options, int *kind, int *status);
int muster_wait_nohang(void);
int muster_wait_keep(void);

// A pipe, close-on-exec, whose read end does not block: programs do not expect EAGAIN from their
// standard output, so the write end does.
int muster_pipe(int32_t ends[2]);

// The process's environment: `environ` is a variable that Swift calls unsafe to share.
const char *const *muster_environment(void);

// Begins a TCP connection, without waiting, to an IPv6 address or an IPv4-mapped one, given as
// two numbers. Returns the socket, which is writable once connected or refused, or -1.
int muster_stream_connect(uint64_t high, uint64_t low, uint16_t port);
// How the connection went: 0 or an errno.
int muster_socket_error(int number);

// Gives back the pages of program and libraries that nobody has written to, and free memory of the
// heap. What is still needed comes back from the page cache with the next use.
void muster_give_back_memory(void);

#endif
