/* Columns under construction, in the memory layout of Arrow. */
#ifndef OPSKIT_COLUMNS_H
#define OPSKIT_COLUMNS_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    char *bytes;
    size_t size, room;
} Buffer;

typedef enum { TEXT, WHOLE, FLAG, MAP } Form;

typedef struct {
    const char *text; /* NULL for an attribute that is null */
    size_t length;
    int64_t whole; /* also 0 or 1 for a flag */
} Value;

/* Rows that have no value yet are not there: they are filled up when the next value comes. */
typedef struct {
    Form form;
    int64_t rows, nulls;
    Buffer validity; /* one bit a row, made with the first null */
    Buffer offsets;  /* int32, of texts only: one a row and one more */
    Buffer data;     /* bytes of texts, int64 of whole numbers, one bit of a flag */
} Column;

/* Each is 0 when memory is short. */
int column_put(Column *column, int64_t row, const Value *value);
int column_fill(Column *column, int64_t rows);

void column_free(Column *column);

#endif
