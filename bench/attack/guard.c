/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guard.c - whom these programs may be aimed at: this machine, or a machine that is not one: the
 * other end of a veth pair in a network namespace made for it.
 */
#include <string.h>
#include <unistd.h>

#include "attack.h"

#define NAMESPACE_NAME_MAX 64

static bool is_loopback(const struct wf_addr *a)
{
    return wf_addr_class(a) == WF_ADDR_CLASS_LOOPBACK;
}

/* Process 1 lives in the namespace that leads to the world; who cannot see where it lives is taken
 * to live there too. */
static bool has_namespace_of_its_own(void)
{
    char own[NAMESPACE_NAME_MAX] = {0};
    char first[NAMESPACE_NAME_MAX] = {0};

    return readlink("/proc/self/ns/net", own, sizeof own - 1) > 0 &&
           readlink("/proc/1/ns/net", first, sizeof first - 1) > 0 && strcmp(own, first) != 0;
}

static bool may_be_aimed_at(const struct attack *a, const struct wf_addr *to)
{
    return !wf_addr_is_set(to) || is_loopback(to) ||
           (a->in_namespace && wf_addr_class(to) == WF_ADDR_CLASS_PRIVATE);
}

const char *attack_refusal(const struct attack *a)
{
    if (!wf_addr_is_set(&a->target) || a->target.port == 0)
        return "say whom: --target ADDRESS:PORT";
    if (a->in_namespace && !has_namespace_of_its_own())
        return "--namespace is for a network namespace made for this, and this is none";
    if (!may_be_aimed_at(a, &a->target) || !may_be_aimed_at(a, &a->second))
        return "only loopback, or with --namespace a private address in a network namespace";
    if (!may_be_aimed_at(a, &a->from))
        return "a sender may only be forged where the target may be aimed at";
    return NULL;
}
