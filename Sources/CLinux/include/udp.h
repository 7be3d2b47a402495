// UDP with addresses as plain numbers: Swift cannot check the casts between the families of
// struct sockaddr, so they are all in udp.c.
#ifndef MUSTER_UDP_H
#define MUSTER_UDP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Sixteen bytes as two numbers in host order, IPv4 in its IPv4-mapped form. `scope` is the index
// of the interface that a link-local IPv6 address belongs to, or 0.
struct muster_endpoint {
  uint64_t high;
  uint64_t low;
  uint32_t scope;
  uint16_t port;
};

// `family` is the socket's: AF_INET or AF_INET6. An IPv6 address on an AF_INET socket is
// EAFNOSUPPORT. All return -1 with errno on failure, as the call they are named for.
int muster_bind(int socket, int family, struct muster_endpoint address);
int muster_getsockname(int socket, struct muster_endpoint *address);
ssize_t muster_sendto(
    int socket, int family, const uint8_t *bytes, size_t count, struct muster_endpoint address);
ssize_t muster_recvfrom(
    int socket, uint8_t *bytes, size_t capacity, struct muster_endpoint *address);

enum { MUSTER_BATCH = 64 };

// At most MUSTER_BATCH datagrams in one call. Those to send lie one behind the other in `bytes`;
// those received each in `capacity` bytes of their own. Both return how many there were, or -1
// when the first one failed.
int muster_send_batch(
    int socket, int family, const uint8_t *bytes, const uint32_t *lengths,
    const struct muster_endpoint *addresses, uint32_t count);
int muster_receive_batch(
    int socket, uint8_t *bytes, uint32_t capacity, uint32_t *lengths,
    struct muster_endpoint *addresses, uint32_t count);

// Receives what is sent to `group` on one interface: for IPv4 the one that has the address
// `interface`, unless `index` is not 0; for IPv6 the one of `index`, 0 being the system's choice.
int muster_join_group(
    int socket, struct muster_endpoint group, struct muster_endpoint interface, uint32_t index);
// Sends datagrams for groups of the family of `group` through that interface, with one hop, and
// lets this machine's own sockets have a copy.
int muster_send_groups_through(
    int socket, struct muster_endpoint group, struct muster_endpoint interface, uint32_t index);

#endif
