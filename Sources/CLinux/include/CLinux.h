// What Glibc's module does not show to Swift, as a small C interface.
//
// _GNU_SOURCE is defined in the .c file only: in a header it makes two modules disagree
// about fd_set and the build fails.
#ifndef MUSTER_CLINUX_H
#define MUSTER_CLINUX_H

#include "udp.h"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <stdint.h>

// epoll_event holds a union, which Swift cannot check: these pass descriptors only.
int muster_epoll_set(int epoll, int operation, int descriptor, uint32_t events);
// Fills `descriptors` with what is ready; at most 64. Returns their number, or -1.
int muster_epoll_wait(int epoll, int32_t descriptors[64], int milliseconds);

#endif
