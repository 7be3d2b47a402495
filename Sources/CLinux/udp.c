#define _GNU_SOURCE
#include "udp.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define V4_PREFIX 0xffffULL

static int is_v4(struct muster_endpoint endpoint) {
  return endpoint.high == 0 && endpoint.low >> 32 == V4_PREFIX;
}

static struct in_addr v4_of(struct muster_endpoint endpoint) {
  return (struct in_addr){.s_addr = htonl((uint32_t)endpoint.low)};
}

static struct in6_addr v6_of(struct muster_endpoint endpoint) {
  struct in6_addr address;
  uint64_t words[2] = {htobe64(endpoint.high), htobe64(endpoint.low)};
  memcpy(&address, words, sizeof address);
  return address;
}

static socklen_t fill(
    struct sockaddr_storage *storage, int family, struct muster_endpoint endpoint) {
  memset(storage, 0, sizeof *storage);
  if (family == AF_INET) {
    if (!is_v4(endpoint)) {
      errno = EAFNOSUPPORT;
      return 0;
    }
    struct sockaddr_in *address = (struct sockaddr_in *)storage;
    address->sin_family = AF_INET;
    address->sin_port = htons(endpoint.port);
    address->sin_addr = v4_of(endpoint);
    return sizeof *address;
  }
  struct sockaddr_in6 *address = (struct sockaddr_in6 *)storage;
  address->sin6_family = AF_INET6;
  address->sin6_port = htons(endpoint.port);
  address->sin6_addr = v6_of(endpoint);
  address->sin6_scope_id = endpoint.scope;
  return sizeof *address;
}

static void read_back(
    const struct sockaddr_storage *storage, struct muster_endpoint *endpoint) {
  *endpoint = (struct muster_endpoint){0};
  if (storage->ss_family == AF_INET) {
    const struct sockaddr_in *address = (const struct sockaddr_in *)storage;
    endpoint->low = V4_PREFIX << 32 | ntohl(address->sin_addr.s_addr);
    endpoint->port = ntohs(address->sin_port);
    return;
  }
  const struct sockaddr_in6 *address = (const struct sockaddr_in6 *)storage;
  uint64_t words[2];
  memcpy(words, &address->sin6_addr, sizeof words);
  endpoint->high = be64toh(words[0]);
  endpoint->low = be64toh(words[1]);
  endpoint->scope = address->sin6_scope_id;
  endpoint->port = ntohs(address->sin6_port);
}

int muster_bind(int socket, int family, struct muster_endpoint endpoint) {
  struct sockaddr_storage storage;
  socklen_t size = fill(&storage, family, endpoint);
  return size == 0 ? -1 : bind(socket, (struct sockaddr *)&storage, size);
}

int muster_getsockname(int socket, struct muster_endpoint *endpoint) {
  struct sockaddr_storage storage;
  socklen_t size = sizeof storage;
  if (getsockname(socket, (struct sockaddr *)&storage, &size) != 0) return -1;
  read_back(&storage, endpoint);
  return 0;
}

ssize_t muster_sendto(
    int socket, int family, const uint8_t *bytes, size_t count, struct muster_endpoint endpoint) {
  struct sockaddr_storage storage;
  socklen_t size = fill(&storage, family, endpoint);
  if (size == 0) return -1;
  return sendto(socket, bytes, count, MSG_DONTWAIT, (struct sockaddr *)&storage, size);
}

ssize_t muster_recvfrom(
    int socket, uint8_t *bytes, size_t capacity, struct muster_endpoint *endpoint) {
  struct sockaddr_storage storage;
  socklen_t size = sizeof storage;
  ssize_t count =
      recvfrom(socket, bytes, capacity, MSG_DONTWAIT, (struct sockaddr *)&storage, &size);
  if (count >= 0) read_back(&storage, endpoint);
  return count;
}

int muster_send_batch(
    int socket, int family, const uint8_t *bytes, const uint32_t *lengths,
    const struct muster_endpoint *addresses, uint32_t count) {
  struct sockaddr_storage storage[MUSTER_BATCH];
  struct iovec parts[MUSTER_BATCH];
  struct mmsghdr messages[MUSTER_BATCH];
  if (count > MUSTER_BATCH) count = MUSTER_BATCH;
  for (uint32_t index = 0; index < count; index++) {
    socklen_t size = fill(&storage[index], family, addresses[index]);
    if (size == 0) {
      // What stands before an address of the wrong family is sent; then it is the first.
      if (index == 0) return -1;
      count = index;
      break;
    }
    parts[index] = (struct iovec){(void *)bytes, lengths[index]};
    bytes += lengths[index];
    messages[index] = (struct mmsghdr){.msg_hdr = {
        .msg_name = &storage[index], .msg_namelen = size,
        .msg_iov = &parts[index], .msg_iovlen = 1}};
  }
  return sendmmsg(socket, messages, count, MSG_DONTWAIT);
}

int muster_receive_batch(
    int socket, uint8_t *bytes, uint32_t capacity, uint32_t *lengths,
    struct muster_endpoint *addresses, uint32_t count) {
  struct sockaddr_storage storage[MUSTER_BATCH];
  struct iovec parts[MUSTER_BATCH];
  struct mmsghdr messages[MUSTER_BATCH];
  if (count > MUSTER_BATCH) count = MUSTER_BATCH;
  for (uint32_t index = 0; index < count; index++) {
    parts[index] = (struct iovec){bytes + (size_t)index * capacity, capacity};
    messages[index] = (struct mmsghdr){.msg_hdr = {
        .msg_name = &storage[index], .msg_namelen = sizeof storage[index],
        .msg_iov = &parts[index], .msg_iovlen = 1}};
  }
  int received = recvmmsg(socket, messages, count, MSG_DONTWAIT, NULL);
  for (int index = 0; index < received; index++) {
    lengths[index] = messages[index].msg_len;
    read_back(&storage[index], &addresses[index]);
  }
  return received;
}

static struct ip_mreqn v4_request(
    struct muster_endpoint group, struct muster_endpoint interface, uint32_t index) {
  return (struct ip_mreqn){
      .imr_multiaddr = v4_of(group),
      .imr_address = is_v4(interface) ? v4_of(interface) : (struct in_addr){0},
      .imr_ifindex = (int)index,
  };
}

int muster_join_group(
    int socket, struct muster_endpoint group, struct muster_endpoint interface, uint32_t index) {
  // Off: only this socket's memberships count, not those of others on other interfaces.
  int no = 0;
  if (is_v4(group)) {
    struct ip_mreqn request = v4_request(group, interface, index);
    if (setsockopt(socket, IPPROTO_IP, IP_MULTICAST_ALL, &no, sizeof no) != 0) return -1;
    return setsockopt(socket, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request);
  }
  struct ipv6_mreq request = {.ipv6mr_multiaddr = v6_of(group), .ipv6mr_interface = index};
  if (setsockopt(socket, IPPROTO_IPV6, IPV6_MULTICAST_ALL, &no, sizeof no) != 0) return -1;
  return setsockopt(socket, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof request);
}

int muster_send_groups_through(
    int socket, struct muster_endpoint group, struct muster_endpoint interface, uint32_t index) {
  int one = 1;
  if (is_v4(group)) {
    struct ip_mreqn request = v4_request(group, interface, index);
    if (setsockopt(socket, IPPROTO_IP, IP_MULTICAST_IF, &request, sizeof request) != 0) return -1;
    if (setsockopt(socket, IPPROTO_IP, IP_MULTICAST_TTL, &one, sizeof one) != 0) return -1;
    return setsockopt(socket, IPPROTO_IP, IP_MULTICAST_LOOP, &one, sizeof one);
  }
  int number = (int)index;
  if (setsockopt(socket, IPPROTO_IPV6, IPV6_MULTICAST_IF, &number, sizeof number) != 0) return -1;
  if (setsockopt(socket, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &one, sizeof one) != 0) return -1;
  return setsockopt(socket, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, &one, sizeof one);
}
