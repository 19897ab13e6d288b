/* SPDX-License-Identifier: Apache-2.0 */
/*
 * states_test.c - every sequence of up to six events that can befall a client and a server which
 * meet for the first time: each kind of datagram, their own and foreign ones, in any order and any
 * number, closes, and time. After each event both ends must be in the state that the tables of
 * docs/spec/1-handshake.md, 1.14, say; here they are written down once more.
 *
 * Everything that both cores hold lies in one piece of memory, so that a moment can be kept and
 * gone back to. What an event leaves byte for byte as it was needs not be looked at again: the
 * sequences that begin with it are those without it, which are shorter. In the same way two
 * sequences that lead to equal bytes go on as one.
 */
#include "test.h"

#include <sodium.h>

#include "base/bytes.h"
#include "crypto/crypto.h"
#include "endpoint/core_priv.h"
#include "session/adm_priv.h"
#include "wire/packet.h"

#define SECOND ((weft_time)1000000)
#define START (1000 * SECOND)
#define REGION_BYTES ((size_t)6 << 20)
#define CLASS_COUNT 4096u /* blocks of up to 64 KiB are used again */
#define FLIGHT_MAX 1600u
#define DEPTH_MAX 7u /* one more event than usual, in long checks */

/* --- memory that can be kept and gone back to --- */

struct free_block {
    struct free_block *next;
};

struct region {
    size_t top;
    struct free_block *free[CLASS_COUNT + 1];
    _Alignas(16) uint8_t bytes[];
};

static struct region *region; /* NULL: secrets come from malloc */

static size_t class_of(size_t size)
{
    return (size + 15) / 16;
}

static void *region_get(size_t size)
{
    size_t class = class_of(size);

    if (class <= CLASS_COUNT && region->free[class] != NULL) {
        struct free_block *b = region->free[class];
        region->free[class] = b->next;
        return b;
    }
    if (region->top + class * 16 > REGION_BYTES - sizeof *region)
        return NULL;
    region->top += class * 16;
    return region->bytes + region->top - class * 16;
}

/* Zeros are left, so that equal states stay equal. */
static void region_put(void *ptr, size_t size)
{
    size_t class = class_of(size);

    memset(ptr, 0, class * 16);
    if (class <= CLASS_COUNT) {
        struct free_block *b = ptr;
        b->next = region->free[class];
        region->free[class] = b;
    }
}

/* The ring of stateless answers is empty between two events, and large: it is left out. */
#define RING_BYTES (CORE_REPLIES_MAX * sizeof(struct reply))

static void *mem_alloc(void *ctx, size_t size)
{
    (void)ctx;
    return size == RING_BYTES ? malloc(size) : region_get(size);
}

static void mem_release(void *ctx, void *ptr, size_t size)
{
    (void)ctx;
    if (size == RING_BYTES) {
        free(ptr);
    } else {
        region_put(ptr, size);
    }
}

static bool is_in_region(const void *ptr)
{
    const uint8_t *p = ptr;

    return region != NULL && p >= region->bytes && p < region->bytes + region->top;
}

#define SLAB_HEADER 16u

/* In place of libsodium's: slots of secrets have to lie in the region too. */
void *sodium_malloc(size_t size)
{
    uint8_t *p = region != NULL ? region_get(size + SLAB_HEADER) : malloc(size + SLAB_HEADER);

    if (p == NULL)
        return NULL;
    memcpy(p, &size, sizeof size);
    return p + SLAB_HEADER;
}

void sodium_free(void *ptr)
{
    uint8_t *p = ptr;
    size_t size = 0;

    if (p == NULL)
        return;
    memcpy(&size, p - SLAB_HEADER, sizeof size);
    if (is_in_region(p)) {
        region_put(p - SLAB_HEADER, size + SLAB_HEADER);
    } else {
        free(p - SLAB_HEADER);
    }
}

/* --- the world --- */

enum side { CLIENT, SERVER, SIDES };

/* Datagrams that were seen on the wire between both. */
enum flight {
    HELLO,
    CHALLENGE,
    SOLVE,
    CONFIRM,
    HINT,
    FROM_CLIENT, /* the latest packet of the session */
    FROM_SERVER,
    FLIGHTS,
};

struct seen {
    size_t len;
    bool closes;
    uint8_t bytes[FLIGHT_MAX];
};

/* Where a session is, as the tables call it. */
enum client_state { CALLING, SOLVED, STANDS, OVER, CLIENT_STATES };
enum server_state { UNKNOWN, CONFIRMING, SERVING, GONE, SERVER_STATES };

struct world {
    weft_time now;
    struct wf_rng_seeded rng[SIDES];
    struct wf_mem mem[SIDES];
    struct wf_core *core[SIDES];
    struct seen seen[FLIGHTS];
    weft_time challenged_at; /* when the CHALLENGE that SOLVE answers was made */
    weft_time challenge_at;  /* the latest */
    uint64_t requests[2];    /* at the server, messages that wait for an answer */
    bool is_shut[SIDES];
    uint64_t accepted;         /* from the client, foreign ones apart */
    uint64_t accepted_foreign; /* from the other address */
    enum client_state client;  /* as the tables say */
    enum server_state server, foreign;
};

static struct world *w;

static const struct {
    uint8_t last;
    uint16_t port;
} places[] = {{1, 1001}, {2, 1002}, {3, 1003}};

static struct wf_addr address(size_t place)
{
    return wf_addr_v4(10, 0, 0, places[place].last, places[place].port);
}

#define ELSEWHERE 2u /* where the foreign client is */

/* Datagrams of others, made once. */
static struct seen foreign_hello, foreign_solve, foreign_challenge; /* with the same server */
static struct seen other_challenge, other_confirm, other_packet;    /* of another server */
static struct seen random_packet, random_hint;

static void see(struct seen *s, weft_span data)
{
    CHECK(data.len <= sizeof s->bytes);
    memset(s, 0, sizeof *s);
    s->len = data.len;
    memcpy(s->bytes, data.data, data.len);
}

/* --- cores outside of the region, for the datagrams of others --- */

struct stranger {
    struct wf_core *core;
    struct wf_rng_seeded rng;
};

static struct wf_core_config config_of(struct wf_mem *mem, const struct wf_rng *rng, uint8_t seed)
{
    struct wf_core_config c = {.mem = mem,
                               .rng = rng,
                               .sessions_max = 8,
                               .datagram_max = 1200,
                               .node_credit = 65536,
                               .message_credit = 65536};

    memset(c.seed, seed, sizeof c.seed);
    return c;
}

static void stranger_init(struct stranger *s, bool serves, uint8_t seed)
{
    wf_rng_seed(&s->rng, seed);
    struct wf_core_config c = config_of(test_mem(), &s->rng.rng, seed);
    c.serve = serves;
    CHECK_OK(wf_core_new(&s->core, &c, START));
}

static void call(struct wf_core *from, const struct wf_core *to, size_t place)
{
    uint64_t id = 0;
    size_t taken = 0;
    struct wf_addr at = address(place);
    struct wf_core_send_params p = {
        .address = at, .service = wf_span_of("s"), .length = 4, .expect_reply = true};

    memcpy(p.to, wf_core_key(to), 32);
    CHECK_OK(wf_core_message(from, START, &p, &id));
    CHECK_OK(wf_core_write(from, id, wf_span_of("ping"), true, &taken));
}

static weft_time others_now = START;

/* One datagram to the core, and the first that it sends then. */
static void answer(struct wf_core *core, size_t from, size_t to, const struct seen *in,
                   struct seen *out)
{
    static uint8_t buf[65536];
    struct seen copy;
    struct wf_send sent = {0};
    struct wf_core_event e;

    if (in != NULL) {
        copy = *in;
        struct wf_datagram d = {
            .from = address(from), .to = address(to), .data = copy.bytes, .len = copy.len};
        wf_core_recv(core, others_now, &d, 1);
    }
    while (wf_core_next_event(core, &e)) {
    }
    bool did = wf_core_send(core, others_now, buf, sizeof buf, &sent);
    CHECK(did || out == NULL);
    if (out != NULL)
        see(out, wf_span(buf, sent.len));
}

/* A whole handshake of two others, and what they say next. */
static void record_others(void)
{
    struct stranger a, b;
    struct seen hello, challenge, solve;

    stranger_init(&a, false, 21);
    stranger_init(&b, true, 22);
    call(a.core, b.core, SERVER);
    answer(a.core, 0, 0, NULL, &hello);
    answer(b.core, CLIENT, SERVER, &hello, &challenge);
    answer(a.core, SERVER, CLIENT, &challenge, &solve);
    answer(b.core, CLIENT, SERVER, &solve, NULL);
    others_now = START + SECOND / 100;
    wf_core_tick(b.core, others_now);
    answer(b.core, CLIENT, SERVER, NULL, &other_confirm);
    answer(a.core, SERVER, CLIENT, &other_confirm, &other_packet);
    wf_core_free(a.core);
    wf_core_free(b.core);
    others_now = START;
    other_confirm.bytes[1] ^= 1; /* of nobody's connection */
    see(&random_packet, wf_span(other_packet.bytes, other_packet.len));
    random_packet.bytes[3] ^= 0x55;
    random_hint.len = WF_HINT_LEN;
    memset(random_hint.bytes, 7, WF_HINT_LEN);
    random_hint.bytes[0] = WF_TYPE_HINT;
}

/* --- events, datagrams --- */

static enum flight flight_of(enum side from, uint8_t type)
{
    switch (type) {
    case WF_TYPE_HELLO:
        return HELLO;
    case WF_TYPE_CHALLENGE:
        return CHALLENGE;
    case WF_TYPE_SOLVE:
        return SOLVE;
    case WF_TYPE_CONFIRM:
        return CONFIRM;
    case WF_TYPE_HINT:
        return HINT;
    default:
        return from == CLIENT ? FROM_CLIENT : FROM_SERVER;
    }
}

/* SPEC 1.3-11: what answers the other client's SOLVE from the client's address is not its own. */
static bool is_to_the_other(enum flight f, const uint8_t *data)
{
    return f == CONFIRM &&
           wf_table_get(&w->core[CLIENT]->sessions, wf_span(data + 1, WF_CID_LEN)) == NULL;
}

/* The client's second call, after a HINT, is another handshake: only the first one is followed. */
static void note_sent(enum side from, const struct wf_send *out, const uint8_t *data)
{
    enum flight f = flight_of(from, data[0]);
    const struct wf_addr partner = address(1 - from);

    if (!wf_addr_equal(&out->to, &partner) || out->len > FLIGHT_MAX)
        return;
    if (((f == HELLO || f == SOLVE) && w->seen[f].len > 0) || is_to_the_other(f, data))
        return;
    if (f == CHALLENGE)
        w->challenge_at = w->now;
    if (f == SOLVE)
        w->challenged_at = w->challenge_at;
    see(&w->seen[f], wf_span(data, out->len));
    w->seen[f].closes = w->is_shut[from];
}

static void on_event(enum side side, const struct wf_core_event *e)
{
    const struct wf_addr home = address(CLIENT);

    if (e->kind == WF_CORE_MESSAGE && side == SERVER)
        w->requests[wf_addr_equal(&e->address, &home) ? 0 : 1] = e->id;
    else if (e->kind == WF_CORE_BROKEN)
        wf_core_release(w->core[side], e->id, WF_CODE_NONE);
}

/* Counters say nothing about what comes. */
static void forget_counters(enum side side)
{
    struct wf_core *c = w->core[side];

    memset(&c->stats, 0, sizeof c->stats);
    if (c->result != NULL) {
        memset(c->result, 0, sizeof *c->result);
    }
    if (c->adm != NULL) {
        memset(&c->adm->stats, 0, sizeof c->adm->stats);
    }
    CHECK_EQ(c->reply_count, 0);
    c->reply_first = 0;
    w->mem[side].allocations = w->mem[side].attempts = w->mem[side].held_max = 0;
}

static void pump(enum side side)
{
    static uint8_t buf[65536];
    struct wf_core *c = w->core[side];
    struct wf_core_event e;
    struct wf_send out = {0};
    unsigned rounds = 0;

    do {
        CHECK(rounds++ < 1000);
        while (wf_core_next_event(c, &e))
            on_event(side, &e);
        while (wf_core_send(c, w->now, buf, sizeof buf, &out)) {
            size_t step = out.segment == 0 || out.segment > out.len ? out.len : out.segment;
            for (size_t at = 0; at < out.len; at += step) {
                struct wf_send one = out;
                one.len = out.len - at < step ? out.len - at : step;
                note_sent(side, &one, buf + at);
            }
        }
    } while (wf_core_has_events(c));
    const char *broken = wf_core_check(c);
    if (broken != NULL)
        FAIL("invariant: %s", broken);
    if (side == SERVER) {
        CHECK(c->adm->stats.accepted <= 1);
    }
}

static void deliver(enum side to, size_t from, const struct seen *s)
{
    struct seen copy = *s;
    struct wf_datagram d = {
        .from = address(from), .to = address(to), .data = copy.bytes, .len = copy.len};

    wf_core_recv(w->core[to], w->now, &d, 1);
    pump(to);
}

static void tick(enum side side)
{
    if (wf_core_deadline(w->core[side]) <= w->now) {
        wf_core_tick(w->core[side], w->now);
        pump(side);
    }
}

/* Both look at the clock whenever they want to, and nothing arrives. */
static void silence(weft_time us)
{
    weft_time until = w->now + us;

    for (;;) {
        weft_time at = wf_core_deadline(w->core[CLIENT]);
        weft_time other = wf_core_deadline(w->core[SERVER]);

        at = other < at ? other : at;
        if (at > until)
            break;
        w->now = at > w->now ? at : w->now;
        tick(CLIENT);
        tick(SERVER);
    }
    w->now = until;
}

/* --- letters --- */

enum letter {
    /* to the server, from the client's address */
    L_HELLO,
    L_SOLVE,
    L_PACKET,
    L_CHALLENGE_BACK,
    L_CONFIRM_BACK,
    L_PACKET_BACK,
    L_FOREIGN_CONFIRM,
    L_FOREIGN_PACKET,
    /* to the server, from elsewhere */
    L_FOREIGN_HELLO,
    L_FOREIGN_SOLVE,
    L_SOLVE_MOVED,
    L_FOREIGN_SOLVE_MOVED, /* from the client's address */
    /* to the client, from the server's address */
    L_CHALLENGE,
    L_CONFIRM,
    L_REPLY_PACKET,
    L_HINT,
    L_HELLO_BACK,
    L_SOLVE_BACK,
    L_CLIENT_PACKET_BACK,
    L_FOREIGN_CHALLENGE, /* by the same server, to another HELLO */
    L_OTHER_CHALLENGE,   /* by another server, to this HELLO */
    L_OTHER_CONFIRM,
    L_OTHER_PACKET,
    L_OTHER_HINT,
    /* what both do themselves */
    L_ANSWER, /* the server's application has its answers */
    L_CLIENT_CLOSES,
    L_SERVER_CLOSES,
    L_TIMER,   /* the next deadline of either */
    L_SILENCE, /* longer than a handshake or a session waits */
    LETTERS,
};

#define NOT_SEEN FLIGHTS

/* Letters that are datagrams. */
static const struct {
    enum side to;
    size_t from;
    enum flight own;           /* or NOT_SEEN and */
    const struct seen *others; /* theirs */
} datagrams[L_ANSWER] = {
    [L_HELLO] = {SERVER, CLIENT, HELLO, NULL},
    [L_SOLVE] = {SERVER, CLIENT, SOLVE, NULL},
    [L_PACKET] = {SERVER, CLIENT, FROM_CLIENT, NULL},
    [L_CHALLENGE_BACK] = {SERVER, CLIENT, CHALLENGE, NULL},
    [L_CONFIRM_BACK] = {SERVER, CLIENT, CONFIRM, NULL},
    [L_PACKET_BACK] = {SERVER, CLIENT, FROM_SERVER, NULL},
    [L_FOREIGN_CONFIRM] = {SERVER, CLIENT, NOT_SEEN, &other_confirm},
    [L_FOREIGN_PACKET] = {SERVER, CLIENT, NOT_SEEN, &random_packet},
    [L_FOREIGN_HELLO] = {SERVER, ELSEWHERE, NOT_SEEN, &foreign_hello},
    [L_FOREIGN_SOLVE] = {SERVER, ELSEWHERE, NOT_SEEN, &foreign_solve},
    [L_SOLVE_MOVED] = {SERVER, ELSEWHERE, SOLVE, NULL},
    [L_FOREIGN_SOLVE_MOVED] = {SERVER, CLIENT, NOT_SEEN, &foreign_solve},
    [L_CHALLENGE] = {CLIENT, SERVER, CHALLENGE, NULL},
    [L_CONFIRM] = {CLIENT, SERVER, CONFIRM, NULL},
    [L_REPLY_PACKET] = {CLIENT, SERVER, FROM_SERVER, NULL},
    [L_HINT] = {CLIENT, SERVER, HINT, NULL},
    [L_HELLO_BACK] = {CLIENT, SERVER, HELLO, NULL},
    [L_SOLVE_BACK] = {CLIENT, SERVER, SOLVE, NULL},
    [L_CLIENT_PACKET_BACK] = {CLIENT, SERVER, FROM_CLIENT, NULL},
    [L_FOREIGN_CHALLENGE] = {CLIENT, SERVER, NOT_SEEN, &foreign_challenge},
    [L_OTHER_CHALLENGE] = {CLIENT, SERVER, NOT_SEEN, &other_challenge},
    [L_OTHER_CONFIRM] = {CLIENT, SERVER, NOT_SEEN, &other_confirm},
    [L_OTHER_PACKET] = {CLIENT, SERVER, NOT_SEEN, &random_packet},
    [L_OTHER_HINT] = {CLIENT, SERVER, NOT_SEEN, &random_hint},
};

static const struct seen *datagram_of(enum letter c)
{
    return datagrams[c].own == NOT_SEEN ? datagrams[c].others : &w->seen[datagrams[c].own];
}

/* There is such a thing by now. */
static bool is_possible(enum letter c)
{
    if (c == L_ANSWER)
        return w->requests[0] != 0 || w->requests[1] != 0;
    return c > L_ANSWER || datagram_of(c)->len > 0;
}

static void to_deadline(void)
{
    weft_time at = wf_core_deadline(w->core[CLIENT]);
    weft_time other = wf_core_deadline(w->core[SERVER]);

    at = other < at ? other : at;
    CHECK(at != WEFT_TIME_NEVER);
    w->now = at > w->now ? at : w->now;
    tick(CLIENT);
    tick(SERVER);
}

static void answer_request(uint64_t *request)
{
    struct wf_core_reply_params p = {.length = 0};
    uint64_t id = 0;
    size_t taken = 0;

    if (*request == 0)
        return;
    if (wf_core_reply(w->core[SERVER], *request, &p, &id) == WEFT_OK)
        CHECK_OK(wf_core_write(w->core[SERVER], id, (weft_span){0}, true, &taken));
    wf_core_release(w->core[SERVER], *request, WF_CODE_NONE);
    *request = 0;
}

static void answer_all(void)
{
    answer_request(&w->requests[0]);
    answer_request(&w->requests[1]);
    pump(SERVER);
}

static void shut(enum side side)
{
    w->is_shut[side] = true;
    wf_core_shut(w->core[side], w->now);
    pump(side);
}

static void happen(enum letter c)
{
    if (c < L_ANSWER)
        deliver(datagrams[c].to, datagrams[c].from, datagram_of(c));
    else if (c == L_ANSWER)
        answer_all();
    else if (c == L_CLIENT_CLOSES || c == L_SERVER_CLOSES)
        shut(c == L_CLIENT_CLOSES ? CLIENT : SERVER);
    else if (c == L_TIMER)
        to_deadline();
    else
        silence(45 * SECOND);
}

/* --- states --- */

static enum client_state client_is(void)
{
    const struct wf_core *c = w->core[CLIENT];

    for (struct wf_link *l = c->all.first; l != NULL; l = l->next) {
        const struct session *s = WF_CONTAINER_OF(l, struct session, all_link);
        if (s->id != 1)
            continue;
        if (s->state == SESSION_CALLING)
            return wf_hs_state(s->hs) == WF_HS_HELLO ? CALLING : SOLVED;
        return s->state == SESSION_OPEN && !w->is_shut[CLIENT] ? STANDS : OVER;
    }
    return OVER;
}

static enum server_state server_is(size_t place)
{
    const struct wf_core *c = w->core[SERVER];
    const struct wf_addr at = address(place);

    for (struct wf_link *l = c->all.first; l != NULL; l = l->next) {
        const struct session *s = WF_CONTAINER_OF(l, struct session, all_link);
        if (!wf_addr_equal(&s->remote, &at) || s->state == SESSION_ENDED)
            continue;
        if (s->state == SESSION_CONFIRMING)
            return CONFIRMING;
        return w->is_shut[SERVER] ? GONE : SERVING; /* its CLOSE is under way */
    }
    return (place == CLIENT ? w->accepted : w->accepted_foreign) > 0 ? GONE : UNKNOWN;
}

/* The tables of the spec. What is not here changes nothing; a timer may also be for something else.
 */
struct move {
    uint8_t from;
    enum letter by;
    uint8_t to;
};

/* SPEC 1.14-1 */
static const struct move client_moves[] = {
    {CALLING, L_CHALLENGE, SOLVED},  {CALLING, L_SILENCE, OVER},
    {CALLING, L_TIMER, OVER},        {CALLING, L_CLIENT_CLOSES, OVER},
    {SOLVED, L_CONFIRM, STANDS},     {SOLVED, L_SILENCE, OVER},
    {SOLVED, L_TIMER, OVER},         {SOLVED, L_CLIENT_CLOSES, OVER},
    {STANDS, L_REPLY_PACKET, OVER}, /* if it is a CLOSE */
    {STANDS, L_SILENCE, OVER},       {STANDS, L_TIMER, OVER},
    {STANDS, L_CLIENT_CLOSES, OVER},
};

/* SPEC 1.14-3, 1.14-6: a CLOSE of somebody else is a packet of somebody else */
static const struct move server_moves[] = {
    {UNKNOWN, L_SOLVE, CONFIRMING}, /* if its cookie lives and the server serves */
    {CONFIRMING, L_ANSWER, SERVING},
    {CONFIRMING, L_TIMER, SERVING}, /* after 5 ms */
    {CONFIRMING, L_SERVER_CLOSES, GONE},
    {CONFIRMING, L_SILENCE, GONE},
    {SERVING, L_PACKET, GONE}, /* if it is a CLOSE */
    {SERVING, L_SILENCE, GONE},
    {SERVING, L_TIMER, GONE},
    /* that silence ends */ {SERVING, L_SERVER_CLOSES, GONE},
};

static unsigned next_of(const struct move *moves, size_t count, unsigned from, enum letter by)
{
    for (size_t i = 0; i < count; i++) {
        if (moves[i].from == from && moves[i].by == by)
            return moves[i].to;
    }
    return from;
}

/* A cookie lives in its epoch of 30 s and the three after it; epochs began with the server. */
static bool cookie_lives(weft_time made)
{
    return (w->now - START) / (30 * SECOND) - (made - START) / (30 * SECOND) < 4;
}

/* The condition that stands beside a move. */
static bool holds(enum letter c)
{
    switch (c) {
    case L_SOLVE:
        return !w->is_shut[SERVER] && cookie_lives(w->challenged_at);
    case L_FOREIGN_SOLVE:
        return !w->is_shut[SERVER] && cookie_lives(START);
    case L_PACKET:
    case L_REPLY_PACKET:
        return datagram_of(c)->closes;
    default:
        return true;
    }
}

static void check_move(const char *who, unsigned before, unsigned want, unsigned after,
                       enum letter c)
{
    bool may_stay = c == L_TIMER;

    if (after != want && !(may_stay && after == before))
        FAIL("%s went from %u to %u and not to %u by letter %u", who, before, after, want, c);
}

static void check_client(enum client_state before, enum letter c, bool condition)
{
    unsigned want =
        condition ? next_of(client_moves, WF_ARRAY_LEN(client_moves), before, c) : (unsigned)before;

    check_move("client", before, want, client_is(), c);
}

/* For either of its clients. A letter that brings something of the other moves nothing. */
static void check_server(size_t place, enum server_state before, enum letter c, bool condition)
{
    bool is_home = place == CLIENT;
    bool is_its_own = is_home ? c != L_FOREIGN_SOLVE : c != L_SOLVE && c != L_PACKET;
    enum letter by = c == L_FOREIGN_SOLVE ? L_SOLVE : c;
    unsigned want = condition && is_its_own
                        ? next_of(server_moves, WF_ARRAY_LEN(server_moves), before, by)
                        : (unsigned)before;

    check_move(is_home ? "server" : "server to another", before, want, server_is(place), c);
}

/* --- the search --- */

struct tally {
    uint64_t states, steps;
    unsigned client, server; /* which of them were met */
};
static struct tally tally;
static unsigned start_index;

#define MEMO_COUNT ((size_t)1 << 20)
struct memo {
    uint64_t mark;
    uint8_t depth;
};
static struct memo *memo;

__attribute__((no_sanitize("address"), no_sanitize("undefined"))) static uint64_t mix(uint64_t h,
                                                                                      uint64_t v)
{
    h = (h ^ v) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 29;
}

#define BLOCK ((size_t)4096)

__attribute__((no_sanitize("address"), no_sanitize("undefined"))) static uint64_t mark_of_block(
    size_t index, const uint8_t *bytes)
{
    uint64_t h[4] = {index, 2, 3, 4};
    const uint64_t *at = (const uint64_t *)(const void *)bytes;

    for (size_t i = 0; i < BLOCK / 8; i += 4) {
        for (size_t j = 0; j < 4; j++)
            h[j] = mix(h[j], at[i + j]);
    }
    return mix(mix(mix(h[0], h[1]), h[2]), h[3]);
}

/* A copy of the region, zeros behind what is in use there as in the region itself. Its mark is the
 * sum of those of all blocks, so that a step costs a look at the blocks that it changed. */
struct moment {
    uint64_t mark;
    size_t len;
    uint8_t *bytes;
    size_t changed[REGION_BYTES / BLOCK]; /* since: where the blocks begin */
    size_t changed_count;
};

static size_t region_len(void)
{
    return (sizeof *region + region->top + BLOCK - 1) / BLOCK * BLOCK;
}

static uint64_t mark_of_region(void)
{
    const uint8_t *now = (const uint8_t *)region;
    uint64_t mark = 0;

    for (size_t at = 0; at < REGION_BYTES; at += BLOCK)
        mark += mark_of_block(at / BLOCK, now + at);
    return mark;
}

static void keep(struct moment *m, uint64_t mark)
{
    const size_t len = region_len();

    if (m->bytes == NULL) {
        m->bytes = calloc(1, REGION_BYTES);
        CHECK(m->bytes != NULL);
    }
    if (m->len > len)
        memset(m->bytes + len, 0, m->len - len);
    memcpy(m->bytes, region, len);
    m->len = len;
    m->mark = mark;
}

/* What the region's mark is after a step from that moment, and which blocks the step changed. */
static uint64_t mark_since(struct moment *m)
{
    const uint8_t *now = (const uint8_t *)region;
    const size_t len = region_len() > m->len ? region_len() : m->len;
    uint64_t mark = m->mark;

    m->changed_count = 0;
    for (size_t at = 0; at < len; at += BLOCK) {
        if (memcmp(now + at, m->bytes + at, BLOCK) == 0)
            continue;
        mark += mark_of_block(at / BLOCK, now + at) - mark_of_block(at / BLOCK, m->bytes + at);
        m->changed[m->changed_count++] = at;
    }
    return mark;
}

/* To the moment from the step after it. */
static void go_back(const struct moment *m)
{
    uint8_t *now = (uint8_t *)region;

    for (size_t i = 0; i < m->changed_count; i++)
        memcpy(now + m->changed[i], m->bytes + m->changed[i], BLOCK);
}

/* False when this state was looked at so far ahead already. */
static bool is_new(uint64_t mark, unsigned left)
{
    size_t i = (size_t)mark % MEMO_COUNT;

    mark |= 1;
    while (memo[i].mark != 0 && memo[i].mark != mark)
        i = (i + 1) % MEMO_COUNT;
    if (memo[i].mark == mark && memo[i].depth >= left)
        return false;
    tally.states += memo[i].mark == 0;
    CHECK(tally.states < MEMO_COUNT / 2);
    memo[i] = (struct memo){mark, (uint8_t)left};
    return true;
}

/* SPEC 1.14-4: one SOLVE makes one session at most, and only where it belongs. */
static void count_accepted(enum letter c)
{
    uint64_t accepted = w->core[SERVER]->adm->stats.accepted;

    CHECK(accepted == 0 || c == L_SOLVE || c == L_FOREIGN_SOLVE);
    if (c == L_FOREIGN_SOLVE)
        w->accepted_foreign += accepted;
    else
        w->accepted += accepted;
    CHECK_LE(w->accepted, 1);
    CHECK_LE(w->accepted_foreign, 1);
}

static void step(enum letter c)
{
    enum client_state client = client_is();
    enum server_state server = server_is(CLIENT), other = server_is(ELSEWHERE);
    bool condition = holds(c);

    tally.steps++;
    happen(c);
    count_accepted(c);
    check_client(client, c, condition);
    check_server(CLIENT, server, c, condition);
    check_server(ELSEWHERE, other, c, condition);
    CHECK(client_is() != STANDS || w->accepted == 1); /* SPEC 1.14-5 */
    tally.client |= 1u << client_is();
    tally.server |= 1u << server_is(CLIENT);
    forget_counters(CLIENT);
    forget_counters(SERVER);
}

/* What led here is told when something fails. */
static void note_letter(unsigned left, enum letter c)
{
    static unsigned letters[DEPTH_MAX + 1];

    letters[left] = c;
    test_note("start %u, letters %u %u %u %u %u %u %u; the last is the one with %u to go",
              start_index, letters[7], letters[6], letters[5], letters[4], letters[3], letters[2],
              letters[1], left - 1);
}

/* The region is as mark says. */
static void search(unsigned left, uint64_t mark)
{
    static struct moment kept[DEPTH_MAX + 1];

    if (left == 0)
        return;
    keep(&kept[left], mark);
    for (unsigned c = 0; c < LETTERS; c++) {
        if (!is_possible((enum letter)c))
            continue;
        note_letter(left, (enum letter)c);
        step((enum letter)c);
        mark = mark_since(&kept[left]);
        if (is_new(mark, left - 1))
            search(left - 1, mark);
        go_back(&kept[left]);
    }
}

static void make_core(enum side side)
{
    wf_rng_seed(&w->rng[side], side + 1);
    w->mem[side] = (struct wf_mem){.alloc = mem_alloc, .release = mem_release};
    struct wf_core_config c = config_of(&w->mem[side], &w->rng[side].rng, (uint8_t)(side + 1));
    CHECK_OK(wf_core_new(&w->core[side], &c, START));
}

/* The server's admission as the core makes it, but for its size. */
static void serve(struct wf_core *c)
{
    static const uint8_t lists[] = {1, WF_PROTOCOL_V1};
    struct wf_adm_config config = {.mem = c->mem,
                                   .rng = c->rng,
                                   .aead = c->aead,
                                   .identity = c->identity,
                                   .lists = {lists, sizeof lists},
                                   .ceiling_log2 = 20,
                                   .table_max = 8,
                                   .pool_max = 1,
                                   .queue_max = 4};

    c->result = wf_alloc(c->mem, sizeof *c->result);
    CHECK(c->result != NULL);
    CHECK_OK(wf_adm_new(&c->adm, &config, START));
}

static void set_up(void)
{
    struct stranger y, b;

    record_others();
    region = calloc(1, REGION_BYTES);
    CHECK(region != NULL);
    w = region_get(sizeof *w);
    w->now = START;
    make_core(CLIENT);
    make_core(SERVER);
    serve(w->core[SERVER]);
    call(w->core[CLIENT], w->core[SERVER], SERVER);
    pump(CLIENT);

    struct region *kept = region;
    region = NULL;
    stranger_init(&y, false, 31);
    stranger_init(&b, true, 22);
    call(y.core, w->core[SERVER], SERVER);
    answer(y.core, 0, 0, NULL, &foreign_hello);
    answer(b.core, CLIENT, SERVER, &w->seen[HELLO], &other_challenge);
    region = kept;
    answer(w->core[SERVER], ELSEWHERE, SERVER, &foreign_hello, &foreign_challenge);
    region = NULL;
    answer(y.core, SERVER, ELSEWHERE, &foreign_challenge, &foreign_solve);
    wf_core_free(y.core);
    wf_core_free(b.core);
    region = kept;
    pump(SERVER);
    forget_counters(CLIENT);
    forget_counters(SERVER);
}

static void tear_down(void)
{
    wf_core_free(w->core[CLIENT]);
    wf_core_free(w->core[SERVER]);
    free(region);
    free(memo);
    region = NULL;
    memo = NULL;
}

/* How far things have gone when the sequences begin. */
static const enum letter on_the_way[] = {L_HELLO,  L_CHALLENGE, L_SOLVE,
                                         L_ANSWER, L_CONFIRM,   L_PACKET};

static void search_from(unsigned begun, unsigned length)
{
    memo = calloc(MEMO_COUNT, sizeof *memo);
    CHECK(memo != NULL);
    tally = (struct tally){0};
    start_index = begun;
    set_up();
    for (unsigned i = 0; i < begun; i++)
        step(on_the_way[i]);
    const uint64_t mark = mark_of_region();
    (void)is_new(mark, length);
    search(length, mark);
    CHECK_EQ(mark_of_region(), mark); /* all of it was gone back to */
    tear_down();
}

static bool is_long(void)
{
    return getenv("WEFT_LONG") != NULL;
}

/* SPEC 1.14-2 */
TEST(both_ends_are_where_the_tables_say_after_every_sequence_of_six_events)
{
    search_from(0, is_long() ? 7 : 6);
    CHECK_EQ(tally.client, (1u << CLIENT_STATES) - 1);
    CHECK_EQ(tally.server, (1u << SERVER_STATES) - 1);
    CHECK(tally.steps > 50000);
}

TEST(and_after_every_four_that_follow_any_beginning_of_a_handshake)
{
    for (unsigned begun = 1; begun <= WF_ARRAY_LEN(on_the_way); begun++)
        search_from(begun, is_long() ? 5 : 4);
}
