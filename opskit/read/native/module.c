/* The binding of `plain.c` to Python: `_plain.pyi` says what goes in and comes out. */
#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "plain.h"

#include <stdlib.h>
#include <string.h>

static const char PLAN[] = "opskit.read.native.plan";

typedef struct {
    Plan plan;
    PyObject *texts; /* keeps every name and rule of the plan alive */
} Held;

static void free_plan(PyObject *capsule)
{
    Held *held = PyCapsule_GetPointer(capsule, PLAN);
    for (int i = 0; held->plan.nodes && i < held->plan.node_count; i++) {
        free(held->plan.nodes[i].attributes);
        free(held->plan.nodes[i].table);
    }
    for (int i = 0; held->plan.kinds && i < held->plan.kind_count; i++) {
        free(held->plan.kinds[i].columns);
        free(held->plan.kinds[i].column_of);
    }
    free(held->plan.nodes);
    free(held->plan.kinds);
    free(held->plan.partitions.rules);
    free(held->plan.prefixes.rules);
    free(held->plan.singletons.rules);
    Py_XDECREF(held->texts);
    free(held);
}

static void *allot(Py_ssize_t count, size_t size)
{
    void *made = calloc((size_t)count + 1, size);
    if (!made)
        PyErr_NoMemory();
    return made;
}

static int take_text(PyObject *text, const char **at, size_t *length)
{
    Py_ssize_t size;
    if (PyBytes_AsStringAndSize(text, (char **)at, &size) < 0)
        return 0;
    *length = (size_t)size;
    return 1;
}

static int take_rules(PyObject *given, Rules *rules)
{
    Py_ssize_t count = PyTuple_Size(given);
    if (count < 0 || !(rules->rules = allot(count, sizeof *rules->rules)))
        return 0;
    for (; rules->count < count; rules->count++) {
        Rule *rule = &rules->rules[rules->count];
        PyObject *text;
        if (!PyArg_ParseTuple(PyTuple_GetItem(given, rules->count), "Si", &text, &rule->kind))
            return 0;
        if (!take_text(text, &rule->text, &rule->length))
            return 0;
    }
    return 1;
}

static int take_node(PyObject *given, Node *node)
{
    Py_ssize_t count = PyTuple_Size(given);
    if (count < 0 || !(node->attributes = allot(count, sizeof *node->attributes)))
        return 0;
    for (; node->count < count; node->count++) {
        Attribute *attribute = &node->attributes[node->count];
        PyObject *name;
        int form;
        PyObject *member = PyTuple_GetItem(given, node->count);
        if (!PyArg_ParseTuple(member, "Sii", &name, &form, &attribute->target))
            return 0;
        if (!take_text(name, &attribute->name, &attribute->length))
            return 0;
        attribute->form = (Form)form;
    }
    return index_node(node) || (PyErr_NoMemory(), 0);
}

static int take_kind(PyObject *given, KindPlan *kind, int slots)
{
    Py_ssize_t count = PyTuple_Size(given);
    if (count < 0 || !(kind->columns = allot(count, sizeof *kind->columns)))
        return 0;
    if (!(kind->column_of = allot(slots, sizeof *kind->column_of)))
        return 0;
    for (int slot = 0; slot < slots; slot++)
        kind->column_of[slot] = -1;
    for (; kind->count < count; kind->count++) {
        ColumnPlan *column = &kind->columns[kind->count];
        int form;
        PyObject *member = PyTuple_GetItem(given, kind->count);
        if (!PyArg_ParseTuple(member, "iii", &column->slot, &form, &column->required))
            return 0;
        column->form = (Form)form;
        kind->required += column->required;
        kind->column_of[column->slot] = kind->count;
    }
    return 1;
}

static int take_all(Plan *plan, PyObject *nodes, PyObject *kinds)
{
    Py_ssize_t node_count = PyTuple_Size(nodes), kind_count = PyTuple_Size(kinds);
    if (node_count < 0 || kind_count < 0)
        return 0;
    if (!(plan->nodes = allot(node_count, sizeof *plan->nodes)))
        return 0;
    if (!(plan->kinds = allot(kind_count, sizeof *plan->kinds)))
        return 0;
    while (plan->node_count < node_count) {
        PyObject *node = PyTuple_GetItem(nodes, plan->node_count);
        if (!take_node(node, &plan->nodes[plan->node_count++]))
            return 0;
    }
    while (plan->kind_count < kind_count) {
        PyObject *kind = PyTuple_GetItem(kinds, plan->kind_count);
        if (!take_kind(kind, &plan->kinds[plan->kind_count++], plan->slots))
            return 0;
    }
    return 1;
}

static PyObject *make_plan(PyObject *self, PyObject *args)
{
    (void)self;
    Held *held = allot(1, sizeof *held);
    if (!held)
        return NULL;
    PyObject *capsule = PyCapsule_New(held, PLAN, free_plan);
    if (!capsule) {
        free(held);
        return NULL;
    }
    Plan *plan = &held->plan;
    PyObject *nodes, *kinds, *partitions, *prefixes, *singletons, *user_prefix;
    long long limit;
    held->texts = Py_NewRef(args);
    if (PyArg_ParseTuple(args, "OOi(iii)OOOSL", &nodes, &kinds, &plan->slots, &plan->account[PK],
                         &plan->account[USER_SUB], &plan->sk, &partitions, &prefixes, &singletons,
                         &user_prefix, &limit) &&
        take_all(plan, nodes, kinds) && take_rules(partitions, &plan->partitions) &&
        take_rules(prefixes, &plan->prefixes) && take_rules(singletons, &plan->singletons) &&
        take_text(user_prefix, &plan->user_prefix, &plan->user_prefix_length)) {
        plan->limit = limit;
        return capsule;
    }
    Py_DECREF(capsule);
    return NULL;
}

static PyObject *bytes_of(const Buffer *buffer)
{
    return PyBytes_FromStringAndSize(buffer->bytes, (Py_ssize_t)buffer->size);
}

/* (nulls, validity or None, offsets or None, data); None for a column without a value. */
static PyObject *column_of(const Column *column)
{
    if (!column->rows)
        return Py_NewRef(Py_None);
    PyObject *validity = column->nulls ? bytes_of(&column->validity) : Py_NewRef(Py_None);
    PyObject *offsets = column->form == TEXT ? bytes_of(&column->offsets) : Py_NewRef(Py_None);
    PyObject *data = bytes_of(&column->data);
    if (validity && offsets && data)
        return Py_BuildValue("LNNN", (long long)column->nulls, validity, offsets, data);
    Py_XDECREF(validity);
    Py_XDECREF(offsets);
    Py_XDECREF(data);
    return NULL;
}

/* Append what was made to a list and let go of it; 0 when there is an error. */
static int append(PyObject *list, PyObject *made)
{
    int done = made && PyList_Append(list, made) == 0;
    Py_XDECREF(made);
    return done;
}

static PyObject *columns_of(const Group *group, const KindPlan *kind)
{
    PyObject *columns = PyList_New(0);
    if (columns && append(columns, column_of(&group->account)) &&
        append(columns, column_of(&group->sk))) {
        int i = 0;
        while (i < kind->count && append(columns, column_of(&group->columns[i])))
            i++;
        if (i == kind->count)
            return columns;
    }
    Py_XDECREF(columns);
    return NULL;
}

static PyObject *groups_of(const Plan *plan, const Read *read)
{
    PyObject *groups = PyList_New(0);
    for (int i = 0; groups && i < plan->kind_count * LAYOUTS; i++) {
        const Group *group = &read->groups[i];
        if (!group->rows)
            continue;
        PyObject *columns = columns_of(group, &plan->kinds[i / LAYOUTS]);
        PyObject *made = columns ? Py_BuildValue("iiLN", i / LAYOUTS, i % LAYOUTS,
                                                 (long long)group->rows, columns)
                                 : NULL;
        if (!append(groups, made)) {
            Py_DECREF(groups);
            return NULL;
        }
    }
    return groups;
}

static PyObject *odd_of(const Read *read)
{
    PyObject *places = PyList_New(0);
    for (size_t i = 0; places && i < read->odd_count; i++) {
        const Place *place = &read->odd[i];
        if (!append(places, Py_BuildValue("nn", (Py_ssize_t)place->start, (Py_ssize_t)place->end))) {
            Py_DECREF(places);
            return NULL;
        }
    }
    return places;
}

static PyObject *made_of(const Plan *plan, const Read *read)
{
    PyObject *groups = groups_of(plan, read);
    PyObject *odd = groups ? odd_of(read) : NULL;
    if (odd)
        return Py_BuildValue("NN", groups, odd);
    Py_XDECREF(groups);
    return NULL;
}

static PyObject *read_plain(PyObject *self, PyObject *args)
{
    (void)self;
    PyObject *capsule, *text, *made = NULL;
    int layout, wrapped;
    if (!PyArg_ParseTuple(args, "OSip", &capsule, &text, &layout, &wrapped))
        return NULL;
    Held *held = PyCapsule_GetPointer(capsule, PLAN);
    char *at;
    Py_ssize_t size;
    if (!held || PyBytes_AsStringAndSize(text, &at, &size) < 0)
        return NULL;
    Read read = {0};
    Outcome outcome;
    Py_BEGIN_ALLOW_THREADS
    outcome = read_items(&held->plan, (const byte *)at, (size_t)size, layout, wrapped, &read);
    Py_END_ALLOW_THREADS
    if (outcome == READ)
        made = made_of(&held->plan, &read);
    else if (outcome == NOT_ITEMS)
        made = Py_NewRef(Py_None);
    else
        PyErr_NoMemory();
    free_read(&held->plan, &read);
    return made;
}

static PyMethodDef METHODS[] = {
    {"make_plan", make_plan, METH_VARARGS, "What `read_plain` is to look for."},
    {"read_plain", read_plain, METH_VARARGS, "The plain items as columns, the places of others."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT, "_plain", "DynamoDB items into columns.", 0, METHODS, NULL, NULL, NULL,
    NULL,
};

PyMODINIT_FUNC PyInit__plain(void)
{
    return PyModule_Create(&MODULE);
}
