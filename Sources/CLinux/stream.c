#define _GNU_SOURCE
#include "CLinux.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

int muster_stream_connect(uint64_t high, uint64_t low, uint16_t port) {
  int is_v4 = high == 0 && low >> 32 == 0xffff;
  struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
  uint64_t words[2] = {htobe64(high), htobe64(low)};
  v4.sin_addr.s_addr = htonl((uint32_t)low);
  memcpy(&v6.sin6_addr, words, sizeof words);

  int number = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (number < 0) return -1;
  int result = is_v4 ? connect(number, (struct sockaddr *)&v4, sizeof v4)
                     : connect(number, (struct sockaddr *)&v6, sizeof v6);
  if (result == 0 || errno == EINPROGRESS) return number;
  int code = errno;
  close(number);
  errno = code;
  return -1;
}

int muster_socket_error(int number) {
  int code = 0;
  socklen_t size = sizeof code;
  return getsockopt(number, SOL_SOCKET, SO_ERROR, &code, &size) < 0 ? errno : code;
}
