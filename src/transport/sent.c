/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sent.c - see sent.h. Which numbers an ACK names is the peer's choice: every range of it is cut to
 * the ring before it is looked at, and looking at it costs what is found there.
 */
#include "transport/sent.h"

#include "base/assert.h"

#define ROOM_FIRST 8u

/* Numbers of 1..2 * the mean lie between two skips. */
#define SKIP_MEAN 256u
#define SKIP_WINDOW_MIN 16u

static size_t room_max_of(size_t packets_max)
{
    size_t room = ROOM_FIRST;

    if (packets_max == 0) {
        packets_max = WF_SENT_PACKETS_DEFAULT;
    }
    while (room < packets_max && room < WF_SENT_PACKETS_MAX) {
        room *= 2;
    }
    return room;
}

void wf_sent_init(struct wf_sent *s, struct wf_mem *mem, uint64_t first, size_t packets_max)
{
    *s = (struct wf_sent){
        .mem = mem,
        .room_max = room_max_of(packets_max),
        .low = first,
        .next = first,
        .path_from = first,
        .counted_from = first,
    };
}

void wf_sent_deinit(struct wf_sent *s)
{
    wf_sent_frames_deinit(s);
    wf_free(s->mem, s->ring, s->room * sizeof *s->ring);
    wf_bits_deinit(&s->out, s->mem);
    wf_bits_deinit(&s->kept, s->mem);
    *s = (struct wf_sent){0};
}

enum wf_class wf_sent_class(uint8_t flags)
{
    return (flags & WF_SENT_BACKGROUND) != 0 ? WF_CLASS_BACKGROUND : WF_CLASS_MAIN;
}

/* --- the ring --- */

static size_t slot_of(const struct wf_sent *s, uint64_t number)
{
    return (size_t)(number & (s->room - 1));
}

static struct wf_sent_packet *packet_at(const struct wf_sent *s, uint64_t number)
{
    WEFT_DEBUG_ASSERT(number >= s->low);
    WEFT_DEBUG_ASSERT(number < s->next);
    return &s->ring[slot_of(s, number)];
}

const struct wf_sent_packet *wf_sent_at(const struct wf_sent *s, uint64_t number)
{
    WEFT_ASSERT(number >= s->low);
    WEFT_ASSERT(number < s->next);
    return packet_at(s, number);
}

/* The lowest number of from..to in a set; false when there is none. low <= from. */
static bool next_in(const struct wf_sent *s, const struct wf_bits *b, uint64_t from, uint64_t to,
                    uint64_t *number)
{
    if (from > to || from >= s->next)
        return false;
    const size_t slot = slot_of(s, from);
    size_t found = wf_bits_next(b, slot);

    if (found == s->room) {
        /* Round the end of the ring, if what is asked for reaches so far. */
        from += s->room - slot;
        if (from > to || from >= s->next)
            return false;
        found = wf_bits_next(b, 0);
        *number = from + found;
    } else {
        *number = from + (found - slot);
    }
    return *number <= to && *number < s->next;
}

bool wf_sent_oldest(const struct wf_sent *s, uint64_t from, uint64_t *number)
{
    return next_in(s, &s->out, from > s->low ? from : s->low, UINT64_MAX, number);
}

static void set_state(struct wf_sent *s, uint64_t number, enum wf_sent_state state)
{
    const size_t slot = slot_of(s, number);

    s->ring[slot].state = (uint8_t)state;
    if (state == WF_SENT_OUT) {
        wf_bits_set(&s->out, slot);
    } else {
        wf_bits_clear(&s->out, slot);
    }
    if (state == WF_SENT_LOST || state == WF_SENT_SKIPPED) {
        wf_bits_set(&s->kept, slot);
    } else {
        wf_bits_clear(&s->kept, slot);
    }
}

/* The rings have changed hands already; records go where their numbers belong in the larger one. */
static void move_records(struct wf_sent *s, const struct wf_sent_packet *old, size_t old_room)
{
    for (uint64_t n = s->low; n < s->next; n++) {
        const struct wf_sent_packet *p = &old[n & (old_room - 1)];

        s->ring[slot_of(s, n)] = *p;
        set_state(s, n, (enum wf_sent_state)p->state);
    }
}

static weft_err grow(struct wf_sent *s)
{
    const size_t room = s->room > 0 ? s->room * 2 : ROOM_FIRST;
    struct wf_bits out = {0};
    struct wf_bits kept = {0};
    struct wf_sent_packet *ring = wf_alloc_array(s->mem, room, sizeof *ring);

    if (ring == NULL || wf_bits_init(&out, s->mem, room) != WEFT_OK ||
        wf_bits_init(&kept, s->mem, room) != WEFT_OK) {
        wf_bits_deinit(&out, s->mem);
        wf_free(s->mem, ring, room * sizeof *ring);
        return WEFT_ERR_NOMEM;
    }

    struct wf_sent_packet *old = s->ring;
    const size_t old_room = s->room;

    wf_bits_deinit(&s->out, s->mem);
    wf_bits_deinit(&s->kept, s->mem);
    s->ring = ring;
    s->room = room;
    s->out = out;
    s->kept = kept;
    move_records(s, old, old_room);
    wf_free(s->mem, old, old_room * sizeof *old);
    return WEFT_OK;
}

/* A packet leaves what is outstanding, whatever its fate. */
static void leave(struct wf_sent *s, uint64_t number, enum wf_sent_state state)
{
    const struct wf_sent_packet *p = packet_at(s, number);

    WEFT_ASSERT(p->state == WF_SENT_OUT);
    if ((p->flags & WF_SENT_NEEDS_ACK) != 0) {
        WEFT_ASSERT(s->need_ack > 0);
        s->need_ack--;
    }
    if ((p->flags & WF_SENT_IN_FLIGHT) != 0 && number >= s->counted_from) {
        const enum wf_class class = wf_sent_class(p->flags);

        WEFT_ASSERT(s->class_in_flight[class] >= p->bytes);
        s->class_in_flight[class] -= p->bytes;
        s->in_flight -= p->bytes;
    }
    set_state(s, number, state);
}

/* Whether a record at the low end is still of use. */
static bool is_wanted(const struct wf_sent *s, const struct wf_sent_packet *p)
{
    const bool is_passed = s->has_acked && s->newest_acked >= s->low + WF_SENT_KEPT;
    const bool is_far = s->next - s->low > WF_SENT_KEPT;

    if (p->state == WF_SENT_GONE)
        return false;
    if (p->state == WF_SENT_OUT)
        return (p->flags & (WF_SENT_NEEDS_ACK | WF_SENT_IN_FLIGHT)) != 0 || !is_far;
    /* Who waits for no ack gets none, and would remember skips for ever. */
    return !is_passed && !(is_far && s->need_ack == 0);
}

static void trim(struct wf_sent *s)
{
    while (s->low < s->next) {
        struct wf_sent_packet *p = packet_at(s, s->low);

        if (is_wanted(s, p))
            return;
        if (p->state == WF_SENT_OUT) {
            wf_sent_frames_free(s, &p->frames);
            leave(s, s->low, WF_SENT_GONE);
        }
        set_state(s, s->low, WF_SENT_GONE);
        s->low++;
    }
}

weft_err wf_sent_reserve(struct wf_sent *s)
{
    trim(s);
    if (s->next - s->low + 2 <= s->room)
        return WEFT_OK;
    return s->room < s->room_max ? grow(s) : WEFT_ERR_LIMIT;
}

/* SPEC 4.1-4 */
static void choose_skip(struct wf_sent *s, const struct wf_rng *rng, uint64_t window_packets)
{
    uint64_t span = window_packets > SKIP_WINDOW_MIN ? window_packets : SKIP_WINDOW_MIN;

    if (span > 2 * SKIP_MEAN - 1) {
        span = 2 * SKIP_MEAN - 1;
    }
    s->skip_at = s->next + 1 + wf_random_below(rng, span);
}

uint64_t wf_sent_number(struct wf_sent *s, const struct wf_rng *rng, uint64_t window_packets)
{
    WEFT_ASSERT(s->next - s->low + 2 <= s->room);
    if (s->skip_at == 0) {
        choose_skip(s, rng, window_packets);
    }
    if (s->next >= s->skip_at) {
        s->ring[slot_of(s, s->next)] = (struct wf_sent_packet){0};
        set_state(s, s->next, WF_SENT_SKIPPED);
        s->next++;
        choose_skip(s, rng, window_packets);
    }
    return s->next;
}

void wf_sent_put(struct wf_sent *s, const struct wf_sent_packet *p)
{
    const uint64_t number = s->next;

    WEFT_ASSERT(s->next - s->low < s->room);
    s->next++;
    s->ring[slot_of(s, number)] = *p;
    set_state(s, number, WF_SENT_OUT);
    if ((p->flags & WF_SENT_NEEDS_ACK) != 0) {
        s->need_ack++;
        s->last_need_ack_at = p->at;
    }
    if ((p->flags & WF_SENT_IN_FLIGHT) != 0) {
        s->class_in_flight[wf_sent_class(p->flags)] += p->bytes;
        s->in_flight += p->bytes;
    }
}

/* --- fates --- */

static bool is_counted(const struct wf_sent *s, uint64_t number, const struct wf_sent_packet *p)
{
    return (p->flags & WF_SENT_IN_FLIGHT) != 0 && number >= s->counted_from;
}

/* What another path carried, marked or lost says nothing of this one. */
static void note_size(struct wf_fates *f, const struct wf_sent_packet *p)
{
    if ((p->flags & WF_SENT_MTU_PROBE) != 0) {
        f->mtu_probe = p->bytes > f->mtu_probe ? p->bytes : f->mtu_probe;
    } else {
        f->largest = p->bytes > f->largest ? p->bytes : f->largest;
    }
}

static void note_fate(const struct wf_sent *s, struct wf_fates *f, uint64_t number,
                      struct wf_sent_packet *p)
{
    wf_sent_list_join(&f->frames, &p->frames);
    f->packets++;
    f->share[wf_sent_class(p->flags)].packets++;
    f->needed_ack = f->needed_ack || (p->flags & WF_SENT_NEEDS_ACK) != 0;
    if (number >= s->counted_from) {
        f->ect += (p->flags & WF_SENT_ECT) != 0 ? 1 : 0;
        note_size(f, p);
    }
    f->newest = number > f->newest ? number : f->newest;
}

static void note_counted(struct wf_fates *f, const struct wf_sent_packet *p)
{
    struct wf_fate_share *share = &f->share[wf_sent_class(p->flags)];

    f->bytes += p->bytes;
    f->newest_at = p->at > f->newest_at ? p->at : f->newest_at;
    share->bytes += p->bytes;
    if (p->at >= share->newest_at) {
        share->newest_at = p->at;
        share->rate = p->rate;
    }
}

static void take_acked(struct wf_sent *s, uint64_t number, struct wf_fates *acked)
{
    struct wf_sent_packet *p = packet_at(s, number);

    note_fate(s, acked, number, p);
    if (is_counted(s, number, p)) {
        note_counted(acked, p);
    }
    leave(s, number, WF_SENT_GONE);
}

void wf_sent_lose(struct wf_sent *s, uint64_t number, struct wf_fates *lost)
{
    struct wf_sent_packet *p = packet_at(s, number);

    note_fate(s, lost, number, p);
    if (is_counted(s, number, p) && (p->flags & WF_SENT_MTU_PROBE) == 0) {
        note_counted(lost, p);
    }
    leave(s, number, WF_SENT_LOST);
}

static void take_spurious(struct wf_sent *s, uint64_t number, struct wf_fates *acked)
{
    const struct wf_sent_packet *p = packet_at(s, number);
    struct wf_fate_share *share = &acked->share[wf_sent_class(p->flags)];
    const uint64_t gap = s->newest_acked > number ? s->newest_acked - number : 0;

    acked->spurious++;
    acked->spurious_gap = gap > acked->spurious_gap ? gap : acked->spurious_gap;
    acked->spurious_at = p->at > acked->spurious_at ? p->at : acked->spurious_at;
    share->spurious++;
    share->spurious_at = p->at > share->spurious_at ? p->at : share->spurious_at;
    set_state(s, number, WF_SENT_GONE);
}

/* What of first..last lies in the ring; false: nothing. */
static bool cut_to_ring(const struct wf_sent *s, struct wf_ack_run *r)
{
    if (r->last < s->low)
        return false;
    r->first = r->first > s->low ? r->first : s->low;
    return r->first <= r->last;
}

static bool has_skipped(const struct wf_sent *s, struct wf_ack_run r)
{
    uint64_t n;

    while (next_in(s, &s->kept, r.first, r.last, &n)) {
        if (packet_at(s, n)->state == WF_SENT_SKIPPED)
            return true;
        r.first = n + 1;
    }
    return false;
}

static void take_range(struct wf_sent *s, struct wf_ack_run r, struct wf_fates *acked)
{
    uint64_t n;

    for (uint64_t from = r.first; next_in(s, &s->out, from, r.last, &n); from = n + 1) {
        take_acked(s, n, acked);
    }
    for (uint64_t from = r.first; next_in(s, &s->kept, from, r.last, &n); from = n + 1) {
        take_spurious(s, n, acked);
    }
}

/* Walks the received ranges of an ACK, newest first: what lies between its missing runs. */
struct received {
    struct wf_ack_iter missing;
    uint64_t last, floor;
    bool is_over;
};

static struct received received_of(const struct wf_frame_ack *ack)
{
    return (struct received){
        .missing = wf_ack_runs_of(ack), .last = ack->newest, .floor = ack->floor};
}

static bool next_received(struct received *it, struct wf_ack_run *r)
{
    struct wf_ack_run gap;

    if (it->is_over)
        return false;
    r->last = it->last;
    if (wf_ack_next_run(&it->missing, &gap)) {
        r->first = gap.last + 1;
        it->last = gap.first - 1;
    } else {
        r->first = it->floor;
        it->is_over = true;
    }
    return true;
}

/* SPEC 3.1-2 */
static bool is_honest(const struct wf_sent *s, const struct wf_frame_ack *ack)
{
    struct received it = received_of(ack);
    struct wf_ack_run r;

    if (ack->newest >= s->next)
        return false;
    while (next_received(&it, &r)) {
        if (!cut_to_ring(s, &r))
            break;
        if (has_skipped(s, r))
            return false;
    }
    return true;
}

static void note_sample(const struct wf_sent *s, uint64_t newest, struct wf_fates *acked)
{
    if (newest < s->low || newest < s->path_from)
        return;
    const struct wf_sent_packet *p = packet_at(s, newest);

    acked->is_sample = p->state == WF_SENT_OUT;
    acked->sample_at = p->at;
}

static void note_newest(struct wf_sent *s, uint64_t newest)
{
    if (!s->has_acked || newest > s->newest_acked) {
        s->newest_acked = newest;
    }
    s->has_acked = true;
}

weft_err wf_sent_on_ack(struct wf_sent *s, const struct wf_frame_ack *ack, struct wf_fates *acked)
{
    *acked = (struct wf_fates){0};
    if (!is_honest(s, ack))
        return WEFT_ERR_PROTOCOL;

    struct received it = received_of(ack);
    struct wf_ack_run r;

    note_sample(s, ack->newest, acked);
    while (next_received(&it, &r) && cut_to_ring(s, &r)) {
        take_range(s, r, acked);
    }
    acked->is_sample = acked->is_sample && acked->needed_ack;
    note_newest(s, ack->newest);
    trim(s);
    return WEFT_OK;
}

static bool is_worth_resending(const struct wf_sent_packet *p)
{
    return (p->flags & WF_SENT_NEEDS_ACK) != 0 && (p->flags & WF_SENT_MTU_PROBE) == 0 &&
           p->frames.first != NULL;
}

bool wf_sent_take_oldest(struct wf_sent *s, struct wf_sent_list *list)
{
    uint64_t n;

    for (uint64_t from = s->low; wf_sent_oldest(s, from, &n); from = n + 1) {
        struct wf_sent_packet *p = packet_at(s, n);

        if (is_worth_resending(p)) {
            wf_sent_list_join(list, &p->frames);
            return true;
        }
    }
    return false;
}

void wf_sent_release(struct wf_sent *s)
{
    s->counted_from = s->next;
    s->in_flight = 0;
    for (size_t i = 0; i < WF_CLASSES; i++)
        s->class_in_flight[i] = 0;
}

void wf_sent_new_path(struct wf_sent *s)
{
    wf_sent_release(s);
    s->path_from = s->next;
}

const char *wf_sent_check(const struct wf_sent *s)
{
    uint64_t in_flight[WF_CLASSES] = {0};
    uint64_t need_ack = 0;

    if (s->next - s->low > s->room)
        return "sent: more numbers than the ring holds";
    for (uint64_t n = s->low; n < s->next; n++) {
        const struct wf_sent_packet *p = packet_at(s, n);
        const bool is_out = p->state == WF_SENT_OUT;

        if (wf_bits_has(&s->out, slot_of(s, n)) != is_out)
            return "sent: the bitmap of outstanding packets is wrong";
        if (is_out && is_counted(s, n, p)) {
            in_flight[wf_sent_class(p->flags)] += p->bytes;
        }
        need_ack += is_out && (p->flags & WF_SENT_NEEDS_ACK) != 0 ? 1 : 0;
    }
    if (in_flight[WF_CLASS_MAIN] != s->class_in_flight[WF_CLASS_MAIN] ||
        in_flight[WF_CLASS_BACKGROUND] != s->class_in_flight[WF_CLASS_BACKGROUND] ||
        in_flight[WF_CLASS_MAIN] + in_flight[WF_CLASS_BACKGROUND] != s->in_flight)
        return "sent: bytes in flight are not those of the outstanding packets";
    return need_ack == s->need_ack ? NULL : "sent: the count of packets that need an ack is wrong";
}
