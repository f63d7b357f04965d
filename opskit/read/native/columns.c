#include "columns.h"

#include <stdlib.h>
#include <string.h>

static int grow(Buffer *buffer, size_t size)
{
    if (size > buffer->room) {
        size_t room = buffer->room ? buffer->room : 64;
        while (room < size)
            room *= 2;
        char *bytes = realloc(buffer->bytes, room);
        if (!bytes)
            return 0;
        buffer->bytes = bytes;
        buffer->room = room;
    }
    return 1;
}

static int append(Buffer *buffer, const void *bytes, size_t size)
{
    if (!size)
        return 1;
    if (!grow(buffer, buffer->size + size))
        return 0;
    memcpy(buffer->bytes + buffer->size, bytes, size);
    buffer->size += size;
    return 1;
}

/* Make room for a row's bit, new bytes zero. */
static int bit_room(Buffer *bits, int64_t row)
{
    size_t size = (size_t)row / 8 + 1;
    if (size <= bits->size)
        return 1;
    if (!grow(bits, size))
        return 0;
    memset(bits->bytes + bits->size, 0, size - bits->size);
    bits->size = size;
    return 1;
}

static int put_bit(Buffer *bits, int64_t row, int bit)
{
    if (!bit_room(bits, row))
        return 0;
    bits->bytes[row / 8] |= (char)(bit << row % 8);
    return 1;
}

/* Begin to tell nulls apart: every row before was none. */
static int begin_validity(Column *column)
{
    for (int64_t row = 0; row < column->rows; row++)
        if (!put_bit(&column->validity, row, 1))
            return 0;
    return 1;
}

static int put_offset(Column *column)
{
    int32_t offset = (int32_t)column->data.size;
    return append(&column->offsets, &offset, sizeof offset);
}

static int put_value(Column *column, const Value *value)
{
    switch (column->form) {
    case WHOLE:
        return append(&column->data, &value->whole, sizeof value->whole);
    case FLAG:
        return put_bit(&column->data, column->rows, (int)value->whole);
    default:
        if (!column->offsets.size && !put_offset(column))
            return 0;
        return append(&column->data, value->text, value->length) && put_offset(column);
    }
}

static int put_null(Column *column)
{
    static const Value nothing = {"", 0, 0};
    if (!column->nulls && !begin_validity(column))
        return 0;
    column->nulls++;
    return put_value(column, &nothing) && put_bit(&column->validity, column->rows++, 0);
}

int column_fill(Column *column, int64_t rows)
{
    while (column->rows < rows)
        if (!put_null(column))
            return 0;
    return 1;
}

int column_put(Column *column, int64_t row, const Value *value)
{
    if (!value->text)
        return 1;
    if (!column_fill(column, row) || !put_value(column, value))
        return 0;
    if (column->nulls && !put_bit(&column->validity, row, 1))
        return 0;
    column->rows++;
    return 1;
}

void column_free(Column *column)
{
    free(column->validity.bytes);
    free(column->offsets.bytes);
    free(column->data.bytes);
}
