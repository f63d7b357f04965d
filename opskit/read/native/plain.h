/* DynamoDB items that say nothing unusual, from JSON into columns of their kinds.
 *
 * An item is plain when each attribute the plan names has the type it should have, once and without
 * escapes, whole numbers are written in at most 16 digits and within the limit, and its key belongs
 * to one kind. Every other item is only measured: its place in the text goes into `odd`, for a
 * reader that takes its time. Nothing is guessed. */
#ifndef OPSKIT_PLAIN_H
#define OPSKIT_PLAIN_H

#include "columns.h"
#include "json.h"

enum { PK, USER_SUB, LAYOUTS };

typedef struct {
    const char *text;
    size_t length;
    int kind; /* -1 for a kind that is not read here */
} Rule;

typedef struct {
    Rule *rules;
    int count;
} Rules;

typedef struct {
    const char *name;
    size_t length;
    Form form;
    int target; /* a slot, or the node of a map */
} Attribute;

/* The attributes of an item or of a nested map; `table` finds them by a hash of their names. */
typedef struct {
    Attribute *attributes;
    int count;
    int *table;
    size_t mask;
} Node;

typedef struct {
    int slot, required;
    Form form;
} ColumnPlan;

typedef struct {
    ColumnPlan *columns;
    int count, required;
    int *column_of; /* by slot; -1 where the kind has no such column */
} KindPlan;

typedef struct {
    Node *nodes;
    KindPlan *kinds;
    int node_count, kind_count, slots;
    int account[LAYOUTS], sk; /* the slots of the keys */
    Rules partitions, prefixes, singletons;
    const char *user_prefix;
    size_t user_prefix_length;
    int64_t limit;
} Plan;

typedef struct {
    int64_t rows;
    Column account, sk;
    Column *columns;
} Group;

typedef struct {
    size_t start, end;
} Place;

typedef struct {
    Group *groups; /* of kind and layout: kind * LAYOUTS + layout */
    Place *odd;
    size_t items, odd_count, odd_room;
} Read;

typedef enum { READ, NOT_ITEMS, NO_MEMORY } Outcome;

/* The items of a JSON array, or with `wrapped` of lines that each are {"Item": {...}}.
 * `layout` is PK, USER_SUB, or -1 where each item's own key attribute tells. */
Outcome read_items(const Plan *plan, const byte *text, size_t size, int layout, int wrapped,
                   Read *read);

void free_read(const Plan *plan, Read *read);

/* Make the hash table of a node whose attributes are set; 0 when memory is short. */
int index_node(Node *node);

#endif
