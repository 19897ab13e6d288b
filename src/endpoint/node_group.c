/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node_group.c - a node in groups: whom it answers, whom it calls inside one, and what the grade
 * says of that.
 */
#include "endpoint/group_priv.h"
#include "endpoint/node_priv.h"

weft_err weft_node_group(weft_node *n, const weft_group *group)
{
    return wf_core_group(n->core, wf_loop_now(n->loop), group_key(group));
}

weft_err weft_node_only_groups(weft_node *n)
{
    return wf_core_only_groups(n->core, wf_loop_now(n->loop));
}

/* SPEC 1.10-11: first_data is what the owner asks for. */
weft_err weft_node_join(weft_node *n, const weft_invitation *invitation, bool first_data)
{
    return n->anonymous ? WEFT_ERR_USAGE /* SPEC 1.10-3 */
                        : wf_core_join(n->core, invitation_of(invitation), first_data);
}

/* SPEC 1.10-11 */
weft_grade grade_of(const struct wf_core_event *e)
{
    if (e->limited)
        return e->early ? WEFT_GRADE_GROUP_EARLY : WEFT_GRADE_GROUP;
    if (e->nobody)
        return WEFT_GRADE_NOBODY;
    return e->early ? WEFT_GRADE_EARLY : WEFT_GRADE_FULL;
}
