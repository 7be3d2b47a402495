// libmicrohttpd for Swift: its options are variadic and its enumerations closed, and Swift can
// use neither; these few functions hide both. No behaviour is added here.
#ifndef MUSTER_CMICROHTTPD_H
#define MUSTER_CMICROHTTPD_H

// First, so that what both modules need of the system (SOCK_STREAM and others) belongs to one of
// them: Swift finds it through CLinux in every file.
#include <CLinux.h>

#include <errno.h>
#include <microhttpd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

// What the server calls. `context` is handed back as it was given.
struct muster_http_callbacks {
  void *context;
  // Called for the head, for each part of the body and once more at its end. Returns 0 to close
  // the connection. `exchange` is the caller's to fill at the first call.
  int (*request)(
    void *context, struct MHD_Connection *connection, const char *path, const char *method,
    const char *part, size_t *partSize, void **exchange);
  // Called once for every exchange, answered or not.
  void (*completed)(void *context, void **exchange);
  // Called when a connection has come (1) and when it goes (0), before its descriptor is closed.
  void (*connection)(void *context, struct MHD_Connection *connection, int isOpen);
};

struct muster_http_daemon {
  struct MHD_Daemon *daemon;
  struct muster_http_callbacks callbacks;
};

static inline enum MHD_Result muster_http_on_request(
  void *context, struct MHD_Connection *connection, const char *url, const char *method,
  const char *version, const char *part, size_t *partSize, void **exchange) {
  struct muster_http_callbacks *callbacks = &((struct muster_http_daemon *)context)->callbacks;
  (void)version;
  return callbacks->request(
           callbacks->context, connection, url, method, part, partSize, exchange)
    ? MHD_YES : MHD_NO;
}

static inline void muster_http_on_completed(
  void *context, struct MHD_Connection *connection, void **exchange,
  enum MHD_RequestTerminationCode code) {
  struct muster_http_callbacks *callbacks = &((struct muster_http_daemon *)context)->callbacks;
  (void)connection;
  (void)code;
  callbacks->completed(callbacks->context, exchange);
}

static inline void muster_http_on_connection(
  void *context, struct MHD_Connection *connection, void **slot,
  enum MHD_ConnectionNotificationCode code) {
  struct muster_http_callbacks *callbacks = &((struct muster_http_daemon *)context)->callbacks;
  (void)slot;
  callbacks->connection(
    callbacks->context, connection, code == MHD_CONNECTION_NOTIFY_STARTED);
}

// A server without a thread and without a listening socket of its own. NULL: no memory or
// descriptors. `idleSeconds` closes connections that send or take nothing for so long.
static inline struct muster_http_daemon *muster_http_start(
  struct muster_http_callbacks callbacks, unsigned connections, size_t memory,
  unsigned idleSeconds) {
  struct muster_http_daemon *server = calloc(1, sizeof *server);
  if (server == NULL) return NULL;
  server->callbacks = callbacks;
  server->daemon = MHD_start_daemon(
    MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
    muster_http_on_request, server,
    MHD_OPTION_CONNECTION_LIMIT, connections,
    MHD_OPTION_CONNECTION_MEMORY_LIMIT, memory,
    MHD_OPTION_CONNECTION_TIMEOUT, idleSeconds,
    MHD_OPTION_NOTIFY_COMPLETED, muster_http_on_completed, server,
    MHD_OPTION_NOTIFY_CONNECTION, muster_http_on_connection, server,
    MHD_OPTION_END);
  if (server->daemon == NULL) {
    free(server);
    return NULL;
  }
  return server;
}

// No connection may be suspended.
static inline void muster_http_stop(struct muster_http_daemon *server) {
  MHD_stop_daemon(server->daemon);
  free(server);
}

static inline int muster_http_epoll(struct muster_http_daemon *server) {
  return MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

static inline void muster_http_run(struct muster_http_daemon *server) {
  (void)MHD_run(server->daemon);
}

// Milliseconds until `muster_http_run` is wanted; -1: only when the epoll says so.
static inline int64_t muster_http_timeout(struct muster_http_daemon *server) {
  MHD_UNSIGNED_LONG_LONG milliseconds = 0;
  if (MHD_get_timeout(server->daemon, &milliseconds) != MHD_YES) return -1;
  return milliseconds > INT32_MAX ? INT32_MAX : (int64_t)milliseconds;
}

// Accepts one connection, not blocking and not inherited; -1 with errno when there is none.
static inline int muster_http_accept(int listener) {
  extern int accept4(int, struct sockaddr *, socklen_t *, int);
  return accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

// Hands a connection over; it is closed also when 0, for "full", is returned.
static inline int muster_http_add(struct muster_http_daemon *server, int descriptor) {
  struct sockaddr_storage address;
  socklen_t length = sizeof address;
  memset(&address, 0, sizeof address);
  if (getpeername(descriptor, (struct sockaddr *)&address, &length) != 0) length = 0;
  return MHD_add_connection(
           server->daemon, descriptor, (struct sockaddr *)&address, length) == MHD_YES;
}

static inline int muster_http_descriptor(struct MHD_Connection *connection) {
  return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

typedef void (*muster_http_value)(
  void *context, const char *key, size_t keySize, const char *value, size_t valueSize);

struct muster_http_visit {
  muster_http_value visit;
  void *context;
};

static inline enum MHD_Result muster_http_visit_value(
  void *context, enum MHD_ValueKind kind, const char *key, size_t keySize, const char *value,
  size_t valueSize) {
  struct muster_http_visit *visit = context;
  (void)kind;
  visit->visit(visit->context, key, keySize, value, value == NULL ? 0 : valueSize);
  return MHD_YES;
}

static inline void muster_http_query(
  struct MHD_Connection *connection, muster_http_value visit, void *context) {
  struct muster_http_visit visitor = {visit, context};
  MHD_get_connection_values_n(
    connection, MHD_GET_ARGUMENT_KIND, muster_http_visit_value, &visitor);
}

static inline void muster_http_headers(
  struct MHD_Connection *connection, muster_http_value visit, void *context) {
  struct muster_http_visit visitor = {visit, context};
  MHD_get_connection_values_n(
    connection, MHD_HEADER_KIND, muster_http_visit_value, &visitor);
}

static inline struct MHD_Response *muster_http_whole(const void *bytes, size_t count) {
  return MHD_create_response_from_buffer(count, (void *)bytes, MHD_RESPMEM_MUST_COPY);
}

static inline struct MHD_Response *muster_http_stream(
  MHD_ContentReaderCallback reader, void *context, MHD_ContentReaderFreeCallback release) {
  return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 8192, reader, context, release);
}

static inline void muster_http_header(
  struct MHD_Response *response, const char *name, const char *value) {
  (void)MHD_add_response_header(response, name, value);
}

// Queues and lets go of `response`. Returns 0 when the connection can take none.
static inline int muster_http_queue(
  struct MHD_Connection *connection, unsigned status, struct MHD_Response *response) {
  enum MHD_Result result = MHD_queue_response(connection, status, response);
  MHD_destroy_response(response);
  return result == MHD_YES;
}

#endif
