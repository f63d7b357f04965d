/* JSON text walked over in place: each walk ends just after what it read, or is NULL for broken
 * JSON. Every text ends with a NUL byte that is not part of it, so no walk runs past its end. */
#ifndef OPSKIT_JSON_H
#define OPSKIT_JSON_H

#include <stddef.h>

typedef unsigned char byte;

/* Whether so many bytes are UTF-8, without surrogates or overlong forms. */
int is_utf8(const byte *at, size_t size);

/* The first byte of a string's text that is a quote, a backslash or a control character. */
const byte *plain_run(const byte *at, const byte *end);

/* Just after the quote that ends the string whose text begins here, its escapes looked at. */
const byte *string_end(const byte *at, const byte *end);

/* Just after the value that begins here. */
const byte *value_end(const byte *at, const byte *end, int depth);

static inline const byte *space_end(const byte *at)
{
    while (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')
        at++;
    return at;
}

#endif
