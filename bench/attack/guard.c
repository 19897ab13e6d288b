/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guard.c - whom these programs may be aimed at: this machine, or a machine that is not one: the
 * other end of a veth pair in a network namespace made for it.
 */
#include <glob.h>
#include <sys/stat.h>

#include "attack.h"

static bool is_loopback(const struct wf_addr *a)
{
    return wf_addr_class(a) == WF_ADDR_CLASS_LOOPBACK;
}

/* The tools of this project name the namespaces they make weft..., and `ip netns` keeps them here.
 * Process 1 lives in the one that leads to the world. */
static bool has_namespace_of_its_own(void)
{
    struct stat own;
    struct stat other;
    glob_t names;
    bool found = false;

    if (stat("/proc/self/ns/net", &own) != 0)
        return false;
    if (stat("/proc/1/ns/net", &other) == 0 && other.st_ino == own.st_ino)
        return false;
    if (glob("/run/netns/weft*", 0, NULL, &names) != 0)
        return false;
    for (size_t i = 0; i < names.gl_pathc; i++)
        found = found || (stat(names.gl_pathv[i], &other) == 0 && other.st_ino == own.st_ino &&
                          other.st_dev == own.st_dev);
    globfree(&names);
    return found;
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
