// libyaml's event interface without its unions, which Swift cannot check.
#ifndef MUSTER_CYAML_H
#define MUSTER_CYAML_H

#include <stdlib.h>
#include <yaml.h>

struct muster_yaml {
  yaml_parser_t parser;
  yaml_event_t event;
};

// `text` must live as long as the result. NULL when there is no memory.
static inline struct muster_yaml *muster_yaml_open(const unsigned char *text, size_t size) {
  struct muster_yaml *yaml = calloc(1, sizeof *yaml);
  if (yaml == NULL) return NULL;
  if (!yaml_parser_initialize(&yaml->parser)) {
    free(yaml);
    return NULL;
  }
  yaml_parser_set_encoding(&yaml->parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&yaml->parser, text, size);
  return yaml;
}

static inline void muster_yaml_close(struct muster_yaml *yaml) {
  yaml_event_delete(&yaml->event);
  yaml_parser_delete(&yaml->parser);
  free(yaml);
}

enum {
  MUSTER_YAML_FAILED = -1,
  MUSTER_YAML_OTHER = 0,
  MUSTER_YAML_DOCUMENT = 1,
  MUSTER_YAML_END = 2,
  MUSTER_YAML_ALIAS = 3,
  MUSTER_YAML_SCALAR = 4,
  MUSTER_YAML_SEQUENCE = 5,
  MUSTER_YAML_SEQUENCE_END = 6,
  MUSTER_YAML_MAPPING = 7,
  MUSTER_YAML_MAPPING_END = 8,
};

// Reads the next event, which replaces the last one, and returns its kind.
static inline int muster_yaml_next(struct muster_yaml *yaml) {
  yaml_event_delete(&yaml->event);
  if (!yaml_parser_parse(&yaml->parser, &yaml->event)) return MUSTER_YAML_FAILED;
  switch (yaml->event.type) {
    case YAML_DOCUMENT_START_EVENT: return MUSTER_YAML_DOCUMENT;
    case YAML_STREAM_END_EVENT: return MUSTER_YAML_END;
    case YAML_ALIAS_EVENT: return MUSTER_YAML_ALIAS;
    case YAML_SCALAR_EVENT: return MUSTER_YAML_SCALAR;
    case YAML_SEQUENCE_START_EVENT: return MUSTER_YAML_SEQUENCE;
    case YAML_SEQUENCE_END_EVENT: return MUSTER_YAML_SEQUENCE_END;
    case YAML_MAPPING_START_EVENT: return MUSTER_YAML_MAPPING;
    case YAML_MAPPING_END_EVENT: return MUSTER_YAML_MAPPING_END;
    default: return MUSTER_YAML_OTHER;
  }
}

// Where the event begins, or where reading failed; both count from 0.
static inline size_t muster_yaml_line(const struct muster_yaml *yaml, int failed) {
  return failed ? yaml->parser.problem_mark.line : yaml->event.start_mark.line;
}

static inline size_t muster_yaml_column(const struct muster_yaml *yaml, int failed) {
  return failed ? yaml->parser.problem_mark.column : yaml->event.start_mark.column;
}

// Why reading failed; an encoding problem has no mark, only a byte offset.
static inline const char *muster_yaml_problem(const struct muster_yaml *yaml) {
  return yaml->parser.problem;
}

static inline int muster_yaml_is_encoding_problem(const struct muster_yaml *yaml) {
  return yaml->parser.error == YAML_READER_ERROR;
}

static inline size_t muster_yaml_offset(const struct muster_yaml *yaml) {
  return yaml->parser.problem_offset;
}

// The bytes of a scalar; valid until the next event.
static inline const unsigned char *muster_yaml_bytes(const struct muster_yaml *yaml) {
  return yaml->event.data.scalar.value;
}

static inline size_t muster_yaml_size(const struct muster_yaml *yaml) {
  return yaml->event.data.scalar.length;
}

// Whether a scalar has no quotes and is no block.
static inline int muster_yaml_is_plain(const struct muster_yaml *yaml) {
  return yaml->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

static inline const unsigned char *muster_yaml_anchor(const struct muster_yaml *yaml) {
  switch (yaml->event.type) {
    case YAML_SCALAR_EVENT: return yaml->event.data.scalar.anchor;
    case YAML_SEQUENCE_START_EVENT: return yaml->event.data.sequence_start.anchor;
    case YAML_MAPPING_START_EVENT: return yaml->event.data.mapping_start.anchor;
    default: return NULL;
  }
}

static inline const unsigned char *muster_yaml_tag(const struct muster_yaml *yaml) {
  switch (yaml->event.type) {
    case YAML_SCALAR_EVENT: return yaml->event.data.scalar.tag;
    case YAML_SEQUENCE_START_EVENT: return yaml->event.data.sequence_start.tag;
    case YAML_MAPPING_START_EVENT: return yaml->event.data.mapping_start.tag;
    default: return NULL;
  }
}

#endif
