#include "json.h"

#include <stdint.h>
#include <string.h>

#define ONES 0x0101010101010101u
#define HIGHS 0x8080808080808080u
#define MAX_DEPTH 200

static int has_zero(uint64_t word)
{
    return ((word - ONES) & ~word & HIGHS) != 0;
}

static int has_below_space(uint64_t word)
{
    return ((word - ONES * 0x20) & ~word & HIGHS) != 0;
}

const byte *plain_run(const byte *at, const byte *end)
{
    while (end - at >= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        if (has_below_space(word) || has_zero(word ^ (ONES * '"')) || has_zero(word ^ (ONES * '\\')))
            break;
        at += 8;
    }
    while (*at >= 0x20 && *at != '"' && *at != '\\')
        at++;
    return at;
}

static size_t ascii_prefix(const byte *at, size_t size)
{
    size_t done = 0;
    for (; size - done >= 8; done += 8) {
        uint64_t word;
        memcpy(&word, at + done, 8);
        if (word & HIGHS)
            break;
    }
    while (done < size && at[done] < 0x80)
        done++;
    return done;
}

/* How many bytes the character that begins here has; 0 when it is not UTF-8. */
static size_t character(const byte *at, size_t size)
{
    byte low = 0x80, high = 0xBF;
    size_t length;
    if (at[0] >= 0xC2 && at[0] <= 0xDF)
        length = 2;
    else if (at[0] >= 0xE0 && at[0] <= 0xEF)
        length = 3;
    else if (at[0] >= 0xF0 && at[0] <= 0xF4)
        length = 4;
    else
        return 0;
    if (at[0] == 0xE0)
        low = 0xA0;
    else if (at[0] == 0xED)
        high = 0x9F;
    else if (at[0] == 0xF0)
        low = 0x90;
    else if (at[0] == 0xF4)
        high = 0x8F;
    if (size < length || at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    return length;
}

int is_utf8(const byte *at, size_t size)
{
    size_t done = 0;
    while ((done += ascii_prefix(at + done, size - done)) < size) {
        size_t length = character(at + done, size - done);
        if (!length)
            return 0;
        done += length;
    }
    return 1;
}

static int is_hex(byte found)
{
    byte lower = found | 0x20;
    return (found >= '0' && found <= '9') || (lower >= 'a' && lower <= 'f');
}

/* Just after the escape whose backslash is here. */
static const byte *escape_end(const byte *at)
{
    if (at[1] != 'u')
        return at[1] && strchr("\"\\/bfnrt", at[1]) ? at + 2 : NULL;
    for (int i = 2; i < 6; i++)
        if (!is_hex(at[i]))
            return NULL;
    return at + 6;
}

const byte *string_end(const byte *at, const byte *end)
{
    for (;;) {
        at = plain_run(at, end);
        if (*at == '"')
            return at + 1;
        if (*at != '\\' || !(at = escape_end(at)))
            return NULL;
    }
}

static const byte *digits_end(const byte *at)
{
    while (*at >= '0' && *at <= '9')
        at++;
    return at;
}

static const byte *number_end(const byte *at)
{
    at += *at == '-';
    const byte *whole = at;
    at = *at == '0' ? at + 1 : digits_end(at);
    if (at == whole)
        return NULL;
    if (*at == '.') {
        const byte *fraction = at + 1;
        if ((at = digits_end(fraction)) == fraction)
            return NULL;
    }
    if (*at == 'e' || *at == 'E') {
        at++;
        const byte *exponent = at + (*at == '+' || *at == '-');
        if ((at = digits_end(exponent)) == exponent)
            return NULL;
    }
    return at;
}

static const byte *literal_end(const byte *at, const char *literal)
{
    size_t length = strlen(literal);
    return strncmp((const char *)at, literal, length) ? NULL : at + length;
}

/* Just after the name and colon of the member that begins here. */
static const byte *name_end(const byte *at, const byte *end)
{
    if (*at != '"' || !(at = string_end(at + 1, end)))
        return NULL;
    at = space_end(at);
    return *at == ':' ? space_end(at + 1) : NULL;
}

/* Just after the bracket that closes the array or object whose own is here. */
static const byte *members_end(const byte *at, const byte *end, int depth)
{
    byte opens = *at, closes = opens == '{' ? '}' : ']';
    at = space_end(at + 1);
    if (*at == closes)
        return at + 1;
    for (;;) {
        if (opens == '{' && !(at = name_end(at, end)))
            return NULL;
        if (!(at = value_end(at, end, depth + 1)))
            return NULL;
        at = space_end(at);
        if (*at == closes)
            return at + 1;
        if (*at != ',')
            return NULL;
        at = space_end(at + 1);
    }
}

const byte *value_end(const byte *at, const byte *end, int depth)
{
    switch (*at) {
    case '"':
        return string_end(at + 1, end);
    case '{':
    case '[':
        return depth < MAX_DEPTH ? members_end(at, end, depth) : NULL;
    case 't':
        return literal_end(at, "true");
    case 'f':
        return literal_end(at, "false");
    case 'n':
        return literal_end(at, "null");
    default:
        return number_end(at);
    }
}
