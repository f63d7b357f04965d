#include "plain.h"

#include <stdlib.h>
#include <string.h>

#define MAX_DIGITS 16
#define MAX_TEXT ((size_t)1 << 30) /* what 32-bit offsets can hold for certain */

typedef struct {
    const Plan *plan;
    const byte *end;
    Read *read;
    int layout;
    int odd;         /* the item at hand is not plain */
    Value *values;   /* by slot */
    uint32_t *seen;  /* by slot: the number of the item it was last met in */
    int *met;        /* the slots met in the item at hand */
    int met_count;
    uint32_t number; /* of the item at hand */
} Reader;

static size_t hash_of(const byte *name, size_t length)
{
    if (!length)
        return 0;
    return length + 31u * name[0] + 131u * name[length - 1] + 17u * name[length / 2];
}

int index_node(Node *node)
{
    size_t room = 8;
    while (room < 4 * (size_t)node->count)
        room *= 2;
    node->mask = room - 1;
    node->table = malloc(room * sizeof *node->table);
    if (!node->table)
        return 0;
    for (size_t i = 0; i < room; i++)
        node->table[i] = -1;
    for (int i = 0; i < node->count; i++) {
        const Attribute *attribute = &node->attributes[i];
        size_t place = hash_of((const byte *)attribute->name, attribute->length) & node->mask;
        while (node->table[place] >= 0)
            place = (place + 1) & node->mask;
        node->table[place] = i;
    }
    return 1;
}

static const Attribute *find(const Node *node, const byte *name, size_t length)
{
    for (size_t at = hash_of(name, length) & node->mask;; at = (at + 1) & node->mask) {
        int index = node->table[at];
        if (index < 0)
            return NULL;
        const Attribute *found = &node->attributes[index];
        if (found->length == length && !memcmp(found->name, name, length))
            return found;
    }
}

static void keep(Reader *reader, int slot, Value value)
{
    if (reader->seen[slot] == reader->number) {
        reader->odd = 1;
        return;
    }
    reader->seen[slot] = reader->number;
    reader->met[reader->met_count++] = slot;
    reader->values[slot] = value;
}

/* Just after the name of the one member of an attribute value, the type tag; NULL if another. */
static const byte *tag_end(const byte *at, const char *tag)
{
    size_t length = strlen(tag);
    if (*at != '{')
        return NULL;
    at = space_end(at + 1);
    if (*at != '"' || strncmp((const char *)at + 1, tag, length) || at[1 + length] != '"')
        return NULL;
    at = space_end(at + length + 2);
    return *at == ':' ? space_end(at + 1) : NULL;
}

static const byte *closed(const byte *at)
{
    at = space_end(at);
    return *at == '}' ? at + 1 : NULL;
}

/* A string without escapes; NULL if something else. */
static const byte *text_value(Reader *reader, const byte *at, Value *value)
{
    if (*at != '"')
        return NULL;
    const byte *end = plain_run(at + 1, reader->end);
    if (*end != '"')
        return NULL;
    value->text = (const char *)at + 1;
    value->length = (size_t)(end - at - 1);
    return end + 1;
}

/* A whole number in decimal digits and within the limit; NULL if something else. */
static const byte *whole_value(Reader *reader, const byte *at, Value *value)
{
    const byte *end = text_value(reader, at, value);
    if (!end)
        return NULL;
    int negative = *value->text == '-';
    size_t digits = value->length - (size_t)negative;
    if (value->length < 1 + (size_t)negative || digits > MAX_DIGITS)
        return NULL;
    int64_t whole = 0;
    for (size_t i = (size_t)negative; i < value->length; i++) {
        if (value->text[i] < '0' || value->text[i] > '9')
            return NULL;
        whole = whole * 10 + (value->text[i] - '0');
    }
    value->whole = negative ? -whole : whole;
    return whole <= reader->plan->limit ? end : NULL;
}

static const byte *flag_value(const byte *at, Value *value)
{
    value->whole = *at == 't';
    value->text = (const char *)at;
    if (!strncmp((const char *)at, "true", 4))
        return at + 4;
    return strncmp((const char *)at, "false", 5) ? NULL : at + 5;
}

static const byte *attributes_end(Reader *reader, int node, const byte *at);

/* Just after an attribute value that is of its form, which is kept; NULL if it is of another. */
static const byte *formed(Reader *reader, const Attribute *attribute, const byte *at)
{
    static const char *const tags[] = {[TEXT] = "S", [WHOLE] = "N", [FLAG] = "BOOL", [MAP] = "M"};
    Value value = {NULL, 0, 0};
    const byte *inner = tag_end(at, tags[attribute->form]);
    if (inner && attribute->form == MAP)
        return *inner == '{' && (inner = attributes_end(reader, attribute->target, inner))
                   ? closed(inner)
                   : NULL;
    if (inner)
        inner = attribute->form == TEXT    ? text_value(reader, inner, &value)
                : attribute->form == WHOLE ? whole_value(reader, inner, &value)
                                           : flag_value(inner, &value);
    else if (attribute->form != MAP && (inner = tag_end(at, "NULL")))
        inner = strncmp((const char *)inner, "true", 4) ? NULL : inner + 4;
    if (inner && (inner = closed(inner)))
        keep(reader, attribute->target, value);
    return inner;
}

/* Just after the member whose name begins here: of an attribute of the node, or any other. */
static const byte *attribute_end(Reader *reader, int node, const byte *at)
{
    const Attribute *attribute = NULL;
    if (*at != '"')
        return NULL;
    const byte *name = at + 1, *end = plain_run(name, reader->end);
    if (*end == '"') {
        attribute = find(&reader->plan->nodes[node], name, (size_t)(end - name));
        end++;
    } else {
        reader->odd = 1; /* the name may be one of the plan's in disguise */
        if (!(end = string_end(end, reader->end)))
            return NULL;
    }
    at = space_end(end);
    if (*at != ':')
        return NULL;
    at = space_end(at + 1);
    if (attribute) {
        end = formed(reader, attribute, at);
        if (end)
            return end;
        reader->odd = 1;
    }
    return value_end(at, reader->end, 1);
}

/* Just after the map of attributes that begins here. */
static const byte *attributes_end(Reader *reader, int node, const byte *at)
{
    at = space_end(at + 1);
    if (*at == '}')
        return at + 1;
    for (;;) {
        at = attribute_end(reader, node, at);
        if (!at)
            return NULL;
        at = space_end(at);
        if (*at == '}')
            return at + 1;
        if (*at != ',')
            return NULL;
        at = space_end(at + 1);
    }
}

static const Value *value_of(const Reader *reader, int slot)
{
    return reader->seen[slot] == reader->number && reader->values[slot].text
               ? &reader->values[slot]
               : NULL;
}

/* The layout whose partition key the item has; -1 when that cannot be told or is not text. */
static int layout_of(const Reader *reader)
{
    const Plan *plan = reader->plan;
    int layout = reader->layout;
    if (layout < 0)
        layout = reader->seen[plan->account[PK]] == reader->number ? PK : USER_SUB;
    return value_of(reader, plan->account[layout]) ? layout : -1;
}

static int begins(const Value *value, const char *prefix, size_t length)
{
    return value->length >= length && !memcmp(value->text, prefix, length);
}

static int kind_of(const Plan *plan, int layout, const Value *account, const Value *sk)
{
    for (const Rule *rule = plan->partitions.rules, *end = rule + plan->partitions.count;
         rule < end; rule++)
        if (account->length == rule->length && begins(account, rule->text, rule->length))
            return rule->kind;
    if (layout == PK && !begins(account, plan->user_prefix, plan->user_prefix_length))
        return -1;
    for (const Rule *rule = plan->prefixes.rules, *end = rule + plan->prefixes.count; rule < end;
         rule++)
        if (begins(sk, rule->text, rule->length))
            return rule->kind;
    for (const Rule *rule = plan->singletons.rules, *end = rule + plan->singletons.count;
         rule < end; rule++)
        if (sk->length == rule->length && begins(sk, rule->text, rule->length))
            return rule->kind;
    return -1;
}

/* Whether the item at hand has every required attribute of its kind. */
static int complete(const Reader *reader, const KindPlan *kind)
{
    int found = 0;
    for (int i = 0; i < reader->met_count; i++) {
        int column = kind->column_of[reader->met[i]];
        if (column >= 0 && reader->values[reader->met[i]].text)
            found += kind->columns[column].required;
    }
    return found == kind->required;
}

static int put_row(const Reader *reader, const KindPlan *kind, Group *group, int layout)
{
    const Plan *plan = reader->plan;
    if (!column_put(&group->account, group->rows, value_of(reader, plan->account[layout])))
        return 0;
    if (!column_put(&group->sk, group->rows, value_of(reader, plan->sk)))
        return 0;
    for (int i = 0; i < reader->met_count; i++) {
        int slot = reader->met[i], column = kind->column_of[slot];
        if (column < 0)
            continue;
        if (!column_put(&group->columns[column], group->rows, &reader->values[slot]))
            return 0;
    }
    group->rows++;
    return 1;
}

static int put_odd(Read *read, Place place)
{
    if (read->odd_count == read->odd_room) {
        size_t room = read->odd_room ? 2 * read->odd_room : 16;
        Place *odd = realloc(read->odd, room * sizeof *odd);
        if (!odd)
            return 0;
        read->odd = odd;
        read->odd_room = room;
    }
    read->odd[read->odd_count++] = place;
    return 1;
}

/* Put the item that was walked over into its kind's columns, or its place among the odd. */
static int settle(Reader *reader, Place place)
{
    const Plan *plan = reader->plan;
    Read *read = reader->read;
    int layout = layout_of(reader), kind = -1;
    read->items++;
    if (!reader->odd && layout >= 0 && value_of(reader, plan->sk))
        kind = kind_of(plan, layout, value_of(reader, plan->account[layout]),
                       value_of(reader, plan->sk));
    if (kind < 0 || !complete(reader, &plan->kinds[kind]))
        return put_odd(read, place);
    return put_row(reader, &plan->kinds[kind], &read->groups[kind * LAYOUTS + layout], layout);
}

/* Read the item that begins here. */
static Outcome read_item(Reader *reader, const byte *text, const byte **at)
{
    const byte *start = *at, *end;
    reader->number++;
    reader->met_count = 0;
    reader->odd = *start != '{';
    end = reader->odd ? value_end(start, reader->end, 0) : attributes_end(reader, 0, start);
    if (!end)
        return NOT_ITEMS;
    *at = end;
    Place place = {(size_t)(start - text), (size_t)(end - text)};
    return settle(reader, place) ? READ : NO_MEMORY;
}

static Outcome read_array(Reader *reader, const byte *text)
{
    const byte *at = space_end(text);
    if (*at != '[')
        return NOT_ITEMS;
    at = space_end(at + 1);
    if (*at == ']')
        return space_end(at + 1) == reader->end ? READ : NOT_ITEMS;
    for (;;) {
        Outcome outcome = read_item(reader, text, &at);
        if (outcome != READ)
            return outcome;
        at = space_end(at);
        if (*at == ']')
            return space_end(at + 1) == reader->end ? READ : NOT_ITEMS;
        if (*at != ',')
            return NOT_ITEMS;
        at = space_end(at + 1);
    }
}

/* Lines that each are exactly one item, as many as there are newlines. */
static Outcome read_lines(Reader *reader, const byte *text)
{
    const byte *at = text;
    size_t lines = 0;
    while (at < reader->end) {
        const byte *newline = memchr(at, '\n', (size_t)(reader->end - at));
        if (!newline || !(at = tag_end(space_end(at), "Item")))
            return NOT_ITEMS;
        Outcome outcome = read_item(reader, text, &at);
        if (outcome != READ)
            return outcome;
        at = closed(at);
        while (at && at < newline && (*at == ' ' || *at == '\t' || *at == '\r'))
            at++;
        if (!at || at != newline)
            return NOT_ITEMS;
        at++;
        lines++;
    }
    return READ;
}

static int begin(Reader *reader)
{
    const Plan *plan = reader->plan;
    size_t slots = (size_t)plan->slots, groups = (size_t)plan->kind_count * LAYOUTS;
    reader->values = malloc(slots * sizeof *reader->values);
    reader->seen = calloc(slots, sizeof *reader->seen);
    reader->met = malloc(slots * sizeof *reader->met);
    reader->read->groups = calloc(groups, sizeof *reader->read->groups);
    if (!reader->values || !reader->seen || !reader->met || !reader->read->groups)
        return 0;
    for (size_t i = 0; i < groups; i++) {
        const KindPlan *kind = &plan->kinds[i / LAYOUTS];
        Group *group = &reader->read->groups[i];
        group->columns = calloc((size_t)kind->count + 1, sizeof *group->columns);
        if (!group->columns)
            return 0;
        for (int column = 0; column < kind->count; column++)
            group->columns[column].form = kind->columns[column].form;
    }
    return 1;
}

/* Give every column that has a value its nulls after the last one. */
static int finish(const Plan *plan, Read *read)
{
    for (int i = 0; i < plan->kind_count * LAYOUTS; i++) {
        Group *group = &read->groups[i];
        for (int column = 0; column < plan->kinds[i / LAYOUTS].count; column++)
            if (group->columns[column].rows && !column_fill(&group->columns[column], group->rows))
                return 0;
    }
    return 1;
}

Outcome read_items(const Plan *plan, const byte *text, size_t size, int layout, int wrapped,
                   Read *read)
{
    Reader reader = {.plan = plan, .end = text + size, .read = read, .layout = layout};
    Outcome outcome = NOT_ITEMS;
    if (!begin(&reader))
        outcome = NO_MEMORY;
    else if (size < MAX_TEXT && is_utf8(text, size))
        outcome = wrapped ? read_lines(&reader, text) : read_array(&reader, text);
    if (outcome == READ && !finish(plan, read))
        outcome = NO_MEMORY;
    free(reader.values);
    free(reader.seen);
    free(reader.met);
    return outcome;
}

void free_read(const Plan *plan, Read *read)
{
    for (int i = 0; read->groups && i < plan->kind_count * LAYOUTS; i++) {
        Group *group = &read->groups[i];
        column_free(&group->account);
        column_free(&group->sk);
        for (int column = 0; group->columns && column < plan->kinds[i / LAYOUTS].count; column++)
            column_free(&group->columns[column]);
        free(group->columns);
    }
    free(read->groups);
    free(read->odd);
}
