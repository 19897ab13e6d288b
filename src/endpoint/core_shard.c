/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_shard.c - datagrams that the network brought to the wrong one of several cores behind one
 * address (docs/spec/1-handshake.md, 1.13). They go to the owner, who gives them to the right core;
 * that one knows them for its own, so none goes on a third time.
 */
#include "endpoint/core_priv.h"

bool shards_are_sound(const struct wf_core_shards *s)
{
    if (s->ids.count <= 1)
        return s->ids.shard == 0;
    return s->ids.shard < s->ids.count && s->forward != NULL;
}

/* packet: a part of the datagram. */
void shard_forward(struct wf_core *c, uint8_t shard, const struct wf_datagram *d, weft_span packet)
{
    struct wf_datagram one = *d;

    one.data = d->data + (packet.data - d->data);
    one.len = packet.len;
    one.segment = 0;
    c->stats.forwarded++;
    c->config.shards.forward(c->config.shards.user, shard, &one);
}

/* SPEC 1.13-5 */
bool shard_takes_id(struct wf_core *c, const struct wf_datagram *d, weft_span packet,
                    const uint8_t id[WF_CID_LEN])
{
    const struct wf_cids *ids = &c->config.shards.ids;
    uint8_t shard = wf_cid_shard(ids, id);

    if (shard == ids->shard)
        return true;
    shard_forward(c, shard, d, packet);
    return false;
}

/* A CHALLENGE or STATEMENT. SPEC 1.13-5 */
bool shard_takes_echo(struct wf_core *c, const struct wf_datagram *d, weft_span packet)
{
    size_t at = packet.data[0] == WF_TYPE_STATEMENT ? 1 : WF_CHALLENGE_ECHO_OFFSET;

    return packet.len < at + WF_ECHO_LEN || shard_takes_id(c, d, packet, packet.data + at);
}
