/* SPDX-License-Identifier: Apache-2.0 */
/*
 * group_priv.h - what the node needs of groups and invitations beyond group.h. All secrets.
 */
#ifndef WF_ENDPOINT_GROUP_PRIV_H
#define WF_ENDPOINT_GROUP_PRIV_H

#include "session/limited.h"
#include "weft/group.h"

const uint8_t *group_key(const weft_group *group);
const struct wf_invitation *invitation_of(const weft_invitation *invitation);

#endif
